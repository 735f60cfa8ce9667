import { defineLowering } from '../lower/rule.ts';
import { renew } from './renew.ts';

/** `Clip` had its bounds as attributes before opset 11. */
export const clip = defineLowering({
  op: 'Clip',
  until: 10,
  note: 'min, max: attributes → inputs',
  lower: (context) => {
    const { b, attrs, input } = context;
    const x = input(0);
    const bound = (name: string) => (attrs.has(name) ? b.scalar(attrs.float(name), x.dtype) : null);
    return renew(context, [x, bound('min'), bound('max')], { drop: ['min', 'max'] });
  },
});
