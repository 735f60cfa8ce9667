import type { Dim } from '../model.ts';
import { CONV } from './conv.ts';
import {
  axisIn,
  broadcast,
  contradiction,
  type Dims,
  expectRank,
  mapDim,
  one,
  required,
  showDims,
  sumOf,
  withDim,
} from './dims.ts';
import { ELEMENTWISE, sameAsFirst } from './elementwise.ts';
import { GATHER_SCATTER } from './gather-scatter.ts';
import { gemm, gemmDims, matmulDims } from './matmul.ts';
import { POOL } from './pool.ts';
import { dequantizeLinear, quantizeLinear } from './quant.ts';
import { gridSample } from './resize.ts';
import { dynamicQuantizeLstm } from './rnn.ts';
import type { ShapeContext, ShapeRule } from './rule.ts';
import { SLICE } from './slice.ts';

/** A standard rule under the attributes and inputs of opset 21, whatever version the contrib domain has. */
const asStandard =
  (rule: ShapeRule): ShapeRule =>
  (ctx) =>
    rule({ ...ctx, opset: 21 });

/** `FusedMatMul`: `transBatch` moves the first axis behind the batch axes, `trans` swaps the last two. */
const fusedMatmul: ShapeRule = (ctx) => {
  const turned = (dims: Dims | undefined, side: 'A' | 'B'): Dims | undefined => {
    if (!dims || dims.length < 2) return dims;
    let out = [...dims];
    if (ctx.attrs.int(`transBatch${side}`, 0) !== 0) out = [...out.slice(1, -1), out[0]!, out.at(-1)!];
    if (ctx.attrs.int(`trans${side}`, 0) !== 0) out = [...out.slice(0, -2), out.at(-1)!, out.at(-2)!];
    return out;
  };
  const a = required(ctx, 0);
  return one(a.dtype, matmulDims(ctx, turned(a.dims, 'A'), turned(required(ctx, 1).dims, 'B')));
};

/** Y, mean and inverse deviation over the last axis, and the sum that went in. */
const skipNormalization: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  const all = { dtype, dims };
  const row = { dtype: 'float32' as const, dims: dims && withDim(dims, dims.length - 1, 1) };
  return [all, row, row, all];
};

/** `SimplifiedLayerNormalization`: Y and the inverse deviation. ONNX Runtime also knows it in the standard domain. */
const simplifiedNormalization: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  const axis = dims && axisIn(ctx, ctx.attrs.int('axis', -1), dims.length);
  return [
    { dtype, dims },
    { dtype: 'float32', dims: dims?.map((d, i) => (i >= axis! ? 1 : d)) },
  ];
};

/** `EmbedLayerNormalization(input_ids [B, S], segment_ids, word_embedding [V, H], …)`. */
const embedNormalization: ShapeRule = (ctx) => {
  const ids = required(ctx, 0);
  const words = required(ctx, 2);
  expectRank(ctx, 0, 2);
  const dims: Dims = [ids.dims?.[0] ?? null, ids.dims?.[1] ?? null, words.dims?.[1] ?? null];
  const all = { dtype: words.dtype, dims };
  return [all, { dtype: 'int32', dims: [dims[0]!] }, all];
};

/** `Attention(input [B, S, H], weights [H, 3·D], bias, mask, past [2, B, heads, P, D/heads])`. */
const packedAttention: ShapeRule = (ctx) => {
  const x = required(ctx, 0);
  const weights = required(ctx, 1);
  expectRank(ctx, 0, 3);
  const sizes = ctx.attrs.has('qkv_hidden_sizes') ? ctx.attrs.ints('qkv_hidden_sizes') : undefined;
  const hidden: Dim = sizes?.[2] ?? mapDim(weights.dims?.[1] ?? null, (d) => d / 3);
  const [batch, length] = [x.dims?.[0] ?? null, x.dims?.[1] ?? null];
  const heads = ctx.attrs.int('num_heads');
  const total = sumOf([ctx.inputs[4] ? (ctx.inputs[4].dims?.[3] ?? null) : 0, length]);
  return [
    { dtype: x.dtype, dims: [batch, length, hidden] },
    { dtype: x.dtype, dims: [2, batch, heads, total, mapDim(hidden, (d) => d / heads)] },
  ];
};

/** `MultiHeadAttention(query, key, value, …, past_key, past_value)`, packed forms `[B, S, heads, 3, D]` included. */
const multiHeadAttention: ShapeRule = (ctx) => {
  const q = required(ctx, 0);
  const heads = ctx.attrs.int('num_heads');
  const [batch, length] = [q.dims?.[0] ?? null, q.dims?.[1] ?? null];
  const [k, v] = [ctx.inputs[1]?.dims, ctx.inputs[2]?.dims];
  let [hidden, keySize, added]: [Dim, Dim, Dim] = [null, null, null];
  if (q.dims?.length === 5) {
    keySize = q.dims[4]!;
    hidden = mapDim(keySize, (d) => d * heads);
    added = length;
  } else if (k) {
    keySize = k.length === 4 ? k[3]! : k.length === 5 ? k[4]! : mapDim(k[2]!, (d) => d / heads);
    added = k.length === 4 ? k[2]! : k[1]!;
    const size = v
      ? v.length === 4
        ? mapDim(v[3]!, (d) => d * heads)
        : v[2]!
      : mapDim(keySize, (d) => d * heads);
    hidden = size;
  }
  const total = sumOf([ctx.inputs[6] ? (ctx.inputs[6].dims?.[2] ?? null) : 0, added]);
  const { dtype } = q;
  return [
    { dtype, dims: [batch, length, hidden] },
    { dtype, dims: [batch, heads, total, keySize] },
    { dtype, dims: [batch, heads, total, mapDim(hidden, (d) => d / heads)] },
    { dtype, dims: [batch, heads, length, total] },
  ];
};

/** `QLinearAdd(A, scale, zero, B, …)` and `QLinearMul`. */
const qlinearBinary: ShapeRule = (ctx) => {
  const a = required(ctx, 0);
  return one(a.dtype, broadcast(ctx, [a.dims, required(ctx, 3).dims]));
};

/** `QLinearConcat(scale, zero, (x, scale, zero)…)`. */
const qlinearConcat: ShapeRule = (ctx) => {
  const data = ctx.inputs.filter((_, i) => i >= 2 && (i - 2) % 3 === 0);
  return SLICE.Concat!({ ...ctx, inputs: data });
};

/** A pooling rule on `[N, …, C]` when `channels_last` is set. */
const channelsLast =
  (rule: ShapeRule): ShapeRule =>
  (ctx) => {
    const x = required(ctx, 0);
    if (ctx.attrs.int('channels_last', 0) === 0 || !x.dims || x.dims.length < 3) return rule(ctx);
    const first = { ...x, dims: [x.dims[0]!, x.dims.at(-1)!, ...x.dims.slice(1, -1)] };
    return rule({ ...ctx, inputs: [first, ...ctx.inputs.slice(1)] }).map(({ dtype, dims }) => ({
      dtype,
      dims: dims && [dims[0]!, ...dims.slice(2), dims[1]!],
    }));
  };

/** `QGemm(A, scale, zero, B, scale, zero, C, y_scale, y_zero)`: float32 without an output zero point. */
const qgemm: ShapeRule = (ctx) =>
  one(ctx.inputs[8]?.dtype ?? 'float32', gemmDims(ctx, required(ctx, 0).dims, required(ctx, 3).dims));

const product =
  (dtypeFrom: (ctx: ShapeContext) => Parameters<typeof one>[0]): ShapeRule =>
  (ctx) =>
    one(dtypeFrom(ctx), matmulDims(ctx, required(ctx, 0).dims, required(ctx, 1).dims));

/** `MatMulNBits(A [..., K], B packed)` gives `[..., N]`. */
const matmulNBits: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  if (dims && dims.length === 0) contradiction(ctx, 'A of rank 1 or more', showDims(dims));
  return one(dtype, dims && withDim(dims, dims.length - 1, ctx.attrs.int('N')));
};

const ACTIVATIONS = [
  'BiasAdd',
  'BiasGelu',
  'BiasSoftmax',
  'FastGelu',
  'Gelu',
  'QLinearLeakyRelu',
  'QLinearSigmoid',
  'QLinearSoftmax',
  'QuickGelu',
  'RotaryEmbedding',
  'GroupNorm',
  'Inverse',
];

/** Operators that ONNX Runtime's optimiser writes (domain `com.microsoft`). */
export const CONTRIB: Readonly<Record<string, ShapeRule>> = {
  ...Object.fromEntries(ACTIVATIONS.map((op) => [op, sameAsFirst])),
  Attention: packedAttention,
  BiasDropout: asStandard(ELEMENTWISE.Dropout!),
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLSTM: dynamicQuantizeLstm,
  DynamicQuantizeMatMul: product((ctx) => required(ctx, 0).dtype),
  EmbedLayerNormalization: embedNormalization,
  FusedConv: CONV.Conv!,
  FusedGemm: gemm,
  FusedMatMul: fusedMatmul,
  FusedMatMulActivation: fusedMatmul,
  GatherND: asStandard(GATHER_SCATTER.GatherND!),
  GridSample: gridSample,
  MatMulInteger16: product(() => 'int32'),
  MatMulIntegerToFloat: product((ctx) => required(ctx, 2).dtype),
  MatMulNBits: matmulNBits,
  MultiHeadAttention: multiHeadAttention,
  Pad: asStandard(SLICE.Pad!),
  QGemm: qgemm,
  QLinearAdd: qlinearBinary,
  QLinearAveragePool: channelsLast(POOL.AveragePool!),
  QLinearConcat: qlinearConcat,
  QLinearConv: channelsLast(CONV.QLinearConv!),
  QLinearGlobalAveragePool: channelsLast(POOL.GlobalAveragePool!),
  QLinearMul: qlinearBinary,
  QuantizeLinear: quantizeLinear,
  SimplifiedLayerNormalization: simplifiedNormalization,
  SkipLayerNormalization: skipNormalization,
  SkipSimplifiedLayerNormalization: skipNormalization,
  TransposeMatMul: fusedMatmul,
  Trilu: SLICE.Trilu!,
};

/** What ONNX Runtime adds to the standard domain. */
export const CONTRIB_STANDARD: Readonly<Record<string, ShapeRule>> = {
  SimplifiedLayerNormalization: simplifiedNormalization,
};
