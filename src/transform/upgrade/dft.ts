import { defineLowering } from '../lower/rule.ts';
import { renew } from './renew.ts';

/** `DFT` of opset 17 had its axis as an attribute, 1 by default. */
export const dft = defineLowering({
  op: 'DFT',
  until: 19,
  note: 'axis: attribute (default 1) → input',
  lower: (context) =>
    renew(
      context,
      [context.input(0), context.inputs[1] ?? null, context.b.scalar(context.attrs.int('axis', 1), 'int64')],
      { drop: ['axis'] },
    ),
});
