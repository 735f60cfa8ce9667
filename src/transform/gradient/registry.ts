import type { GradientRule } from './rule.ts';
import { add, div, mul, neg, sub } from './rules/arithmetic.ts';
import { averagePool } from './rules/average-pool.ts';
import { batchNormalization } from './rules/batch-normalization.ts';
import { clip, max, min, where } from './rules/choice.ts';
import { greater, greaterOrEqual, less, lessOrEqual, not } from './rules/comparison.ts';
import { conv } from './rules/conv.ts';
import { convTranspose } from './rules/conv-transpose.ts';
import { cumProd, cumSum } from './rules/cumulative.ts';
import { einsum } from './rules/einsum.ts';
import { abs, erf, exp, log, reciprocal, sqrt } from './rules/elementary.ts';
import { firstMax, pooledMax } from './rules/first-max.ts';
import { gather } from './rules/gather.ts';
import { gemm } from './rules/gemm.ts';
import { globalAveragePool, globalMaxPool } from './rules/global-pool.ts';
import { affineGrid, gridSample } from './rules/grid-sample.ts';
import { groupNormalization, instanceNormalization } from './rules/group-normalization.ts';
import { cast, castLike, dropout, identity } from './rules/identity.ts';
import { layerNormalization, rmsNormalization } from './rules/layer-normalization.ts';
import { globalLpPool, lpPool } from './rules/lp-pool.ts';
import { matMul } from './rules/matmul.ts';
import { maxPool } from './rules/max-pool.ts';
import { oneHot } from './rules/one-hot.ts';
import { lpNormalization, lrn, meanVarianceNormalization } from './rules/other-normalizations.ts';
import { pad } from './rules/pad.ts';
import { mod, pow } from './rules/power.ts';
import {
  centerCropPad,
  compress,
  depthToSpace,
  reverseSequence,
  spaceToDepth,
  topK,
  trilu,
} from './rules/rearrange.ts';
import { celu, elu, leakyRelu, pRelu, selu, shrink, thresholdedRelu } from './rules/rectifiers.ts';
import {
  reduceL1,
  reduceL2,
  reduceLogSum,
  reduceLogSumExp,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceProd,
  reduceSum,
  reduceSumSquare,
} from './rules/reduce.ts';
import { relu } from './rules/relu.ts';
import { expand, flatten, reshape, squeeze, transpose, unsqueeze } from './rules/reshape.ts';
import { resize } from './rules/resize.ts';
import { ceil, floor, round, sign } from './rules/rounding.ts';
import { gatherElements, gatherNd, scatterElements, scatterNd } from './rules/scatter.ts';
import { gelu, hardSigmoid, hardSwish, mish, sigmoid, softplus, softsign, swish } from './rules/sigmoids.ts';
import { concat, slice, split } from './rules/slice.ts';
import { hardmax, logSoftmax, softmax } from './rules/softmax.ts';
import { dft, stft } from './rules/spectral.ts';
import { bernoulli, eyeLike, randomNormalLike, randomUniformLike } from './rules/stop.ts';
import { tile } from './rules/tile.ts';
import {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atanh,
  cos,
  cosh,
  sin,
  sinh,
  tan,
  tanh,
} from './rules/trigonometry.ts';
import { col2Im, maxUnpool } from './rules/unpool.ts';
import { mean, sum } from './rules/variadic.ts';

/** Every gradient rule. One line a family, A to Z by file. */
export const GRADIENT_RULES: readonly GradientRule[] = [
  ...[add, div, mul, neg, sub],
  averagePool,
  batchNormalization,
  ...[clip, max, min, where],
  ...[greater, greaterOrEqual, less, lessOrEqual, not],
  conv,
  convTranspose,
  ...[cumProd, cumSum],
  einsum,
  ...[abs, erf, exp, log, reciprocal, sqrt],
  firstMax,
  pooledMax,
  gather,
  gemm,
  ...[globalAveragePool, globalMaxPool],
  ...[affineGrid, gridSample],
  ...[groupNormalization, instanceNormalization],
  ...[cast, castLike, dropout, identity],
  ...[layerNormalization, rmsNormalization],
  ...[globalLpPool, lpPool],
  matMul,
  maxPool,
  oneHot,
  ...[lpNormalization, lrn, meanVarianceNormalization],
  pad,
  ...[mod, pow],
  ...[centerCropPad, compress, depthToSpace, reverseSequence, spaceToDepth, topK, trilu],
  ...[celu, elu, leakyRelu, pRelu, selu, shrink, thresholdedRelu],
  ...[
    reduceL1,
    reduceL2,
    reduceLogSum,
    reduceLogSumExp,
    reduceMax,
    reduceMean,
    reduceMin,
    reduceProd,
    reduceSum,
    reduceSumSquare,
  ],
  relu,
  ...[expand, flatten, reshape, squeeze, transpose, unsqueeze],
  resize,
  ...[ceil, floor, round, sign],
  ...[gatherElements, gatherNd, scatterElements, scatterNd],
  ...[gelu, hardSigmoid, hardSwish, mish, sigmoid, softplus, softsign, swish],
  ...[concat, slice, split],
  ...[hardmax, logSoftmax, softmax],
  ...[dft, stft],
  ...[bernoulli, eyeLike, randomNormalLike, randomUniformLike],
  tile,
  ...[acos, acosh, asin, asinh, atan, atanh, cos, cosh, sin, sinh, tan, tanh],
  ...[col2Im, maxUnpool],
  ...[mean, sum],
];

const BY_KEY = new Map<string, GradientRule>();
for (const rule of GRADIENT_RULES) {
  const key = `${rule.domain}:${rule.op}`;
  if (BY_KEY.has(key)) throw new Error(`two gradient rules for ${key}`);
  BY_KEY.set(key, rule);
}

/** The rule for an operator at `opset`, or `undefined`; never a fallback. */
export function ruleFor(domain: string, op: string, opset: number): GradientRule | undefined {
  const rule = BY_KEY.get(`${domain}:${op}`);
  return rule && rule.since <= opset ? rule : undefined;
}
