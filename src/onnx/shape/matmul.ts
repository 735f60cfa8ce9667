import type { DType } from '../dtype.ts';
import type { Dim } from '../model.ts';
import { broadcast, contradiction, type Dims, expectRank, one, required, sameDim, showDims } from './dims.ts';
import { einsum } from './einsum.ts';
import type { ShapeContext, ShapeRule } from './rule.ts';

/** Shape of NumPy `matmul`: 1-D operands act as a row or a column, leading axes broadcast. */
export function matmulDims(ctx: ShapeContext, a: Dims | undefined, b: Dims | undefined): Dims | undefined {
  if (!a || !b) return undefined;
  if (a.length === 0 || b.length === 0)
    contradiction(ctx, 'operands of rank 1 or more', `${showDims(a)} and ${showDims(b)}`);
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  sameDim(ctx, left.at(-1)!, right.at(-2)!, `inner sizes of ${showDims(a)} and ${showDims(b)}`);
  const out: Dim[] = [...broadcast(ctx, [left.slice(0, -2), right.slice(0, -2)])!];
  if (a.length > 1) out.push(left.at(-2)!);
  if (b.length > 1) out.push(right.at(-1)!);
  return out;
}

const matmul: ShapeRule = (ctx) => {
  const [a, b] = [required(ctx, 0), required(ctx, 1)];
  if (a.dtype !== b.dtype) contradiction(ctx, 'inputs of one type', `${a.dtype} and ${b.dtype}`);
  return one(a.dtype, matmulDims(ctx, a.dims, b.dims));
};

const matmulInteger: ShapeRule = (ctx) =>
  one('int32', matmulDims(ctx, required(ctx, 0).dims, required(ctx, 1).dims));

/** `QLinearMatMul(a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero)`. */
export const qlinearMatmul: ShapeRule = (ctx) =>
  one(required(ctx, 7).dtype, matmulDims(ctx, required(ctx, 0).dims, required(ctx, 3).dims));

/** `[M, N]` of `Gemm` and its relatives, with the inner sizes compared. */
export function gemmDims(ctx: ShapeContext, a: Dims | undefined, b: Dims | undefined): Dims {
  const transA = ctx.attrs.int('transA', 0) !== 0;
  const transB = ctx.attrs.int('transB', 0) !== 0;
  for (const dims of [a, b]) if (dims && dims.length !== 2) contradiction(ctx, 'matrices', showDims(dims));
  if (a && b)
    sameDim(ctx, a[transA ? 0 : 1]!, b[transB ? 1 : 0]!, `inner sizes of ${showDims(a)} and ${showDims(b)}`);
  return [a ? a[transA ? 1 : 0]! : null, b ? b[transB ? 0 : 1]! : null];
}

/** `Gemm`: `α·op(A)·op(B) + β·C`; C broadcasts to the product. */
export const gemm: ShapeRule = (ctx) => {
  const a = required(ctx, 0);
  expectRank(ctx, 0, 2);
  const dims = gemmDims(ctx, a.dims, required(ctx, 1).dims);
  const c = ctx.inputs[2]?.dims;
  if (c) {
    const sum = broadcast(ctx, [dims, c])!;
    if (sum.length !== 2) contradiction(ctx, `C that broadcasts to ${showDims(dims)}`, showDims(c));
    for (const [i, d] of sum.entries()) {
      sameDim(ctx, d, dims[i]!, `sizes of the product ${showDims(dims)} and C ${showDims(c)}`);
    }
  }
  return one(a.dtype, dims);
};

const einsumRule: ShapeRule = (ctx) => {
  const dtype: DType = required(ctx, 0).dtype;
  return one(
    dtype,
    einsum(
      ctx,
      ctx.attrs.string('equation'),
      ctx.inputs.map((_, i) => required(ctx, i).dims),
    ),
  );
};

const determinant: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  if (dims && dims.length < 2) contradiction(ctx, 'rank 2 or more', showDims(dims));
  return one(dtype, dims?.slice(0, -2));
};

/** Products of matrices and general contractions. */
export const MATMUL: Readonly<Record<string, ShapeRule>> = {
  Det: determinant,
  Einsum: einsumRule,
  Gemm: gemm,
  MatMul: matmul,
  MatMulInteger: matmulInteger,
  QLinearMatMul: qlinearMatmul,
};
