import { defineLowering, type LowerRule } from '../lower/rule.ts';
import { renew } from './renew.ts';

/** `axes` was an attribute until `until`; without it (or with none), all axes. */
function axesBecomeInput(op: string, until: number): LowerRule {
  return defineLowering({
    op,
    until,
    note: 'axes: attribute → input',
    lower: (context) => {
      const axes = context.attrs.ints('axes', []);
      return renew(context, axes.length > 0 ? [context.input(0), context.b.ints(axes)] : [context.input(0)], {
        drop: ['axes'],
      });
    },
  });
}

/** `Squeeze`, `Unsqueeze` and the reductions. */
export const axes: readonly LowerRule[] = [
  ...['ReduceSum', 'Squeeze', 'Unsqueeze'].map((op) => axesBecomeInput(op, 12)),
  ...[
    'ReduceL1',
    'ReduceL2',
    'ReduceLogSum',
    'ReduceLogSumExp',
    'ReduceMax',
    'ReduceMean',
    'ReduceMin',
    'ReduceProd',
    'ReduceSumSquare',
  ].map((op) => axesBecomeInput(op, 17)),
];
