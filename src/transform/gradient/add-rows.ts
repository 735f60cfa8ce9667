import { GlacisError } from '../../core/error.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import { int64Tensor } from '../../onnx/tensor.ts';
import type { Ops } from '../ops.ts';

/**
 * The transpose of gathering along `axis`: zeros of `dims` to which each row of `g` is added at its index.
 *
 * @param g `[dims before axis…, indices…, dims after axis…]`
 * @param indices integers within `[-dims[axis], dims[axis])`, any shape
 */
export function addRows(b: Ops, g: Value, indices: Value, dims: readonly number[], axis: number): Value {
  if (g.dims.includes(0)) return b.full(dims, 0, g.dtype);
  const many = indices.dims.length;
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const rows = b.transpose(g, [
    ...range(axis, axis + many),
    ...range(0, axis),
    ...range(axis + many, g.dims.length),
  ]);
  const zeros = b.full([dims[axis]!, ...dims.slice(0, axis), ...dims.slice(axis + 1)], 0, g.dtype);
  const at = b.unsqueeze(b.cast(indices, 'int64'), [many]);
  const sums = b.node('ScatterND', [zeros, at, rows], { reduction: 'add' });
  return b.transpose(sums, [...range(1, axis + 1), 0, ...range(axis + 1, dims.length)]);
}

/** Like {@link addRows} for indices with a leading batch axis, kept: `[batch, …dims]`. */
export function addRowsPerSample(
  b: Ops,
  g: Value,
  indices: Value,
  dims: readonly number[],
  axis: number,
): Value {
  const batch = indices.dims[0];
  if (axis !== 0 || batch === undefined) {
    throw new GlacisError(
      'gradient/unsupported',
      'a per-sample gradient needs indices with a batch axis that select along axis 0',
    );
  }
  const all = b.full([batch, ...dims], 0, g.dtype);
  if (g.dims.includes(0)) return all;
  const sample = b.builder.constant(
    int64Tensor(
      [batch],
      Array.from({ length: batch }, (_, i) => i),
    ),
  );
  const column = b.reshape(sample, [batch, ...indices.dims.slice(1).map(() => 1), 1]);
  const at = b.concat(
    [b.expand(column, [...indices.dims, 1]), b.unsqueeze(b.cast(indices, 'int64'), [indices.dims.length])],
    indices.dims.length,
  );
  return b.node('ScatterND', [all, at, g], { reduction: 'add' });
}
