import { one, required } from './dims.ts';
import { dtypeAttribute } from './elementwise.ts';
import type { ShapeRule } from './rule.ts';

/** `QuantizeLinear`: the zero point's type, else `output_dtype` (since opset 21), else uint8. */
export const quantizeLinear: ShapeRule = (ctx) => {
  const x = required(ctx, 0);
  const named = ctx.attrs.int('output_dtype', 0) !== 0 ? dtypeAttribute(ctx, 'output_dtype') : 'uint8';
  return one(ctx.inputs[2]?.dtype ?? named, x.dims);
};

/** `DequantizeLinear`: the scale's type, unless `output_dtype` (since opset 23) says otherwise. */
export const dequantizeLinear: ShapeRule = (ctx) => {
  const named = ctx.attrs.int('output_dtype', 0) !== 0 ? dtypeAttribute(ctx, 'output_dtype') : undefined;
  return one(named ?? required(ctx, 1).dtype, required(ctx, 0).dims);
};

const dynamicQuantize: ShapeRule = (ctx) => [
  { dtype: 'uint8', dims: required(ctx, 0).dims },
  { dtype: 'float32', dims: [] },
  { dtype: 'uint8', dims: [] },
];

/** Quantisation. */
export const QUANT: Readonly<Record<string, ShapeRule>> = {
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: dynamicQuantize,
  QuantizeLinear: quantizeLinear,
};
