import { GlacisError } from '../../../core/error.ts';
import { defineRule, type GradientRule } from '../rule.ts';

/** An operator that has a derivative, which Glacis does not write: the reason stands in the message. */
function unsupported(op: string, since: number, reason: string): GradientRule {
  return defineRule({
    op,
    since,
    note: `unsupported: ${reason}`,
    grad: () => {
      throw new GlacisError('gradient/unsupported', reason);
    },
  });
}

export const deformConv = unsupported(
  'DeformConv',
  19,
  'sampling at learned offsets inside a convolution is not differentiated',
);
export const maxRoiPool = unsupported(
  'MaxRoiPool',
  1,
  'pooling over regions that depend on the data is not differentiated',
);
export const roiAlign = unsupported(
  'RoiAlign',
  10,
  'sampling in regions that depend on the data is not differentiated',
);
