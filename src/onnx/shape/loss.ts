import { type Dims, one, required } from './dims.ts';
import type { ShapeContext, ShapeRule } from './rule.ts';

/** The labels' shape with `reduction: none`, otherwise a scalar. */
function reduced(ctx: ShapeContext): Dims | undefined {
  return ctx.attrs.string('reduction', 'mean') === 'none' ? required(ctx, 1).dims : [];
}

/** Scores `[N, C, …]` and labels `[N, …]`. */
const negativeLogLikelihood: ShapeRule = (ctx) => one(required(ctx, 0).dtype, reduced(ctx));

const softmaxCrossEntropy: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  return [
    { dtype, dims: reduced(ctx) },
    { dtype, dims },
  ];
};

/** Training losses. */
export const LOSS: Readonly<Record<string, ShapeRule>> = {
  NegativeLogLikelihoodLoss: negativeLogLikelihood,
  SoftmaxCrossEntropyLoss: softmaxCrossEntropy,
};
