import { defineLowering } from '../lower/rule.ts';
import { renew } from './renew.ts';

/** `TopK` had k as an attribute before opset 10. */
export const topK = defineLowering({
  op: 'TopK',
  until: 9,
  note: 'k: attribute → input',
  lower: (context) =>
    renew(context, [context.input(0), context.b.ints([context.attrs.int('k')])], { drop: ['k'] }),
});
