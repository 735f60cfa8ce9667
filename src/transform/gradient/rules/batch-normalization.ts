import { GlacisError } from '../../../core/error.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import { elementCount } from '../../../onnx/tensor.ts';
import { defineRule, type RuleContext } from '../rule.ts';
import {
  overChannels,
  standardise,
  standardised,
  standardiseGradient,
  sumToChannels,
} from '../standardise.ts';

/**
 * `y = (x − μ) s / √(σ² + ε) + β` a channel. In inference `μ` and `σ²` are inputs and `y` is affine in `x`; with
 * `training_mode = 1` they are those of the batch (Ioffe & Szegedy 2015).
 */
export const batchNormalization = defineRule({
  op: 'BatchNormalization',
  since: 15,
  note: 'inference: x̄ = g s r; training: x̄ = s r (g − mean g − x̂ mean(g x̂)); s̄ = Σ g x̂, β̄ = Σ g; r = 1 / √(σ² + ε)',
  perSample: true,
  grad: (context) =>
    context.attrs.int('training_mode', 0) === 0 ? withGivenStatistics(context) : withBatchStatistics(context),
});

function withGivenStatistics({
  b,
  attrs,
  input,
  outGrads: [g],
  needs,
  perSample,
}: RuleContext): (Value | null)[] {
  const x = input(0);
  const [scale, bias, mean, variance] = [input(1), input(2), input(3), input(4)];
  const spread = () => b.unary('Sqrt', b.add(b.cast(variance, x.dtype), attrs.float('epsilon', 1e-5)));
  const factor = () => b.div(b.cast(scale, x.dtype), spread());
  // Σ g (x − μ), with which scale and variance change.
  const moment = (i: number) =>
    sumToChannels(b, b.mul(g!, b.sub(x, overChannels(b, mean, x))), input(i), perSample(i));
  const total = (i: number) => sumToChannels(b, g!, input(i), perSample(i));
  const per = (v: Value, i: number) => b.cast(v, input(i).dtype);
  return [
    needs[0] ? b.mul(g!, overChannels(b, factor(), x)) : null,
    needs[1] ? b.div(moment(1), per(spread(), 1)) : null,
    needs[2] ? b.cast(total(2), bias.dtype) : null,
    needs[3] ? b.neg(b.mul(total(3), per(factor(), 3))) : null,
    needs[4] ? b.mul(b.mul(moment(4), per(b.div(factor(), b.mul(spread(), spread())), 4)), -0.5) : null,
  ];
}

function withBatchStatistics({ b, attrs, input, outGrads, needs, perSample }: RuleContext): (Value | null)[] {
  const x = input(0);
  if ([1, 2].some((i) => needs[i] && perSample(i))) {
    throw new GlacisError(
      'gradient/unsupported',
      'batch statistics mix the samples, so that no gradient belongs to one of them',
    );
  }
  const [g, meanGrad, varianceGrad] = outGrads;
  const axes = x.dims.flatMap((_, a) => (a === 1 ? [] : [a]));
  const count = elementCount(x.dims) / x.dims[1]!;
  const momentum = attrs.float('momentum', 0.9);
  const parts = () => standardise(b, x, axes, attrs.float('epsilon', 1e-5));
  const terms: Value[] = [];
  if (g && needs[0])
    terms.push(standardiseGradient(b, b.mul(g, overChannels(b, input(1), x)), parts(), axes));
  if (meanGrad && needs[0])
    terms.push(b.expand(b.mul(overChannels(b, meanGrad, x), (1 - momentum) / count), x.dims));
  if (varianceGrad && needs[0])
    terms.push(b.mul(parts().centred, b.mul(overChannels(b, varianceGrad, x), (2 * (1 - momentum)) / count)));
  return [
    terms.length > 0 ? terms.reduce((a, t) => b.add(a, t)) : null,
    g && needs[1] ? sumToChannels(b, b.mul(g, standardised(b, parts())), input(1), false) : null,
    g && needs[2] ? sumToChannels(b, g, input(2), false) : null,
    meanGrad && needs[3] ? b.mul(meanGrad, momentum) : null,
    varianceGrad && needs[4] ? b.mul(varianceGrad, momentum) : null,
  ];
}
