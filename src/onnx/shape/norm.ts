import { axisIn, contradiction, one, required, sameDim, showDims } from './dims.ts';
import { dtypeAttribute, sameAsFirst } from './elementwise.ts';
import type { Facts, ShapeRule } from './rule.ts';

/** `BatchNormalization`: Y and, in training, the running mean and variance (before opset 14 the saved ones as well). */
const batchNormalization: ShapeRule = (ctx) => {
  const x = required(ctx, 0);
  const channels = x.dims ? (x.dims[1] ?? (x.dims.length === 1 ? 1 : null)) : null;
  for (let i = 1; i < 5; i++) {
    const dims = required(ctx, i).dims;
    if (!dims) continue;
    if (dims.length !== 1) contradiction(ctx, `input ${i} of rank 1`, showDims(dims));
    sameDim(
      ctx,
      channels,
      dims[0]!,
      `numbers of channels (X ${showDims(x.dims)}, input ${i} ${showDims(dims)})`,
    );
  }
  const mean: Facts = { dtype: required(ctx, 3).dtype, dims: required(ctx, 3).dims };
  const variance: Facts = { dtype: required(ctx, 4).dtype, dims: required(ctx, 4).dims };
  return [{ dtype: x.dtype, dims: x.dims }, mean, variance, mean, variance];
};

/** `LayerNormalization`: Y, and mean and inverse deviation with the normalised axes as 1. */
const layerNormalization: ShapeRule = (ctx) => {
  const x = required(ctx, 0);
  const axis = x.dims && axisIn(ctx, ctx.attrs.int('axis', -1), x.dims.length);
  const dims = x.dims?.map((d, i) => (i >= axis! ? 1 : d));
  const dtype = dtypeAttribute(ctx, 'stash_type', 'float32');
  return [
    { dtype: x.dtype, dims: x.dims },
    { dtype, dims },
    { dtype, dims },
  ];
};

/** Output like X, after a check of `axis` (the softmax family). */
const alongAxis: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  // Before opset 13 the default is 1, and axis = rank is allowed: everything is one row.
  if (dims) {
    const axis = ctx.attrs.int('axis', ctx.opset >= 13 ? -1 : 1);
    if (!(ctx.opset < 13 && axis === dims.length)) axisIn(ctx, axis, dims.length);
  }
  return one(dtype, dims);
};

/** Normalisations and the softmax family. */
export const NORM: Readonly<Record<string, ShapeRule>> = {
  BatchNormalization: batchNormalization,
  GroupNormalization: sameAsFirst,
  Hardmax: alongAxis,
  InstanceNormalization: sameAsFirst,
  LRN: sameAsFirst,
  LayerNormalization: layerNormalization,
  LogSoftmax: alongAxis,
  LpNormalization: sameAsFirst,
  MeanVarianceNormalization: sameAsFirst,
  RMSNormalization: sameAsFirst,
  Softmax: alongAxis,
};
