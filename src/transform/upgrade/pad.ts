import { defineLowering } from '../lower/rule.ts';
import { renew } from './renew.ts';

/** `Pad` had widths and fill value as attributes before opset 11. */
export const pad = defineLowering({
  op: 'Pad',
  until: 10,
  note: 'pads, value: attributes → inputs',
  lower: (context) => {
    const { b, attrs, input } = context;
    const fill = b.scalar(attrs.float('value', 0), input(0).dtype);
    return renew(context, [input(0), b.ints(attrs.ints('pads')), fill], { drop: ['pads', 'value'] });
  },
});
