import type { Value } from '../../onnx/graph-builder.ts';
import { elementCount, int64Tensor, tensorFrom } from '../../onnx/tensor.ts';
import type { Ops } from '../ops.ts';
import type { Row } from './interpolation.ts';

/** One gathered, weighted tap costs about as much as this many multiplications of a matrix product. */
const TAP_COST = 64;

/**
 * `Wᵀ g` along `axis`, for the constant matrix `W` of these rows, one a position of `g`; the axis becomes `size`.
 * Repetition by a whole factor is a sum; a long axis with few weights a column gathers them; otherwise a matrix product.
 */
export function applyTransposed(b: Ops, g: Value, rows: readonly Row[], axis: number, size: number): Value {
  const { dims } = g;
  const factor = rows.length / size;
  if (
    rows.every((row, o) => row.length === 1 && row[0]![0] === Math.floor(o / factor) && row[0]![1] === 1) &&
    Number.isInteger(factor)
  ) {
    if (factor === 1) return g;
    return b.sum(b.reshape(g, [...dims.slice(0, axis), size, factor, ...dims.slice(axis + 1)]), [axis + 1]);
  }
  const columns: [number, number][][] = Array.from({ length: size }, () => []);
  for (const [o, row] of rows.entries()) for (const [i, w] of row) columns[i]!.push([o, w]);
  const taps = Math.max(...columns.map((c) => c.length));
  if (rows.length > TAP_COST * taps) return gathered(b, g, columns, taps, axis);
  const [lead, rest] = [elementCount(dims.slice(0, axis)), elementCount(dims.slice(axis + 1))];
  const matrix = new Float64Array(rows.length * size);
  const last = rest === 1;
  for (const [o, row] of rows.entries())
    for (const [i, w] of row) matrix[last ? o * size + i : i * rows.length + o] = w;
  const product = last
    ? b.matmul(
        b.reshape(g, [lead, rows.length]),
        b.builder.constant(tensorFrom(g.dtype, [rows.length, size], matrix)),
      )
    : b.matmul(
        b.builder.constant(tensorFrom(g.dtype, [size, rows.length], matrix)),
        b.reshape(g, [lead, rows.length, rest]),
      );
  return b.reshape(product, dims.with(axis, size));
}

function gathered(
  b: Ops,
  g: Value,
  columns: readonly (readonly [number, number])[][],
  taps: number,
  axis: number,
): Value {
  const shape = g.dims.map((_, a) => (a === axis ? columns.length : 1));
  const parts = Array.from({ length: taps }, (_, t) => {
    const at = b.builder.constant(
      int64Tensor(
        [columns.length],
        columns.map((c) => c[t]?.[0] ?? 0),
      ),
    );
    const weights = columns.map((c) => c[t]?.[1] ?? 0);
    const picked = b.gather(g, at, axis);
    return weights.every((w) => w === 1)
      ? picked
      : b.mul(picked, b.builder.constant(tensorFrom(g.dtype, shape, weights)));
  });
  return parts.length > 0
    ? parts.reduce((a, p) => b.add(a, p))
    : b.full(g.dims.with(axis, columns.length), 0, g.dtype);
}
