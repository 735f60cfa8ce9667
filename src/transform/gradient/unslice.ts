import type { Value } from '../../onnx/graph-builder.ts';
import type { Ops } from '../ops.ts';

/** What a slice takes of one axis: `count` elements from `first`, `step` apart (either sign). */
export interface Taken {
  readonly axis: number;
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/**
 * Spreads `g` back over `dims`: the transpose of slicing. Elements that no slice takes are zero.
 * Negative steps are turned round first; gaps of larger steps are padding of an axis of length 1; one `Pad` does the rest.
 */
export function unslice(b: Ops, g: Value, dims: readonly number[], taken: readonly Taken[]): Value {
  const rank = dims.length;
  const before = new Array<number>(rank).fill(0);
  const after = new Array<number>(rank).fill(0);
  const gaps = new Array<number>(rank).fill(1);
  let value = g;
  for (const { axis, first, step, count } of taken) {
    const lowest = step > 0 ? first : first + (count - 1) * step;
    if (count > 1) {
      if (step < 0) value = b.slice(value, axis, count - 1, Number.MIN_SAFE_INTEGER, -1);
      gaps[axis] = Math.abs(step);
    }
    before[axis] = lowest;
    after[axis] = dims[axis]! - lowest - count * gaps[axis]!;
  }
  if (value.dims.includes(0)) return b.full(dims, 0, g.dtype);
  const wide = gaps.flatMap((s, a) => (s > 1 ? [a] : []));
  if (wide.length > 0) {
    const split = value.dims.flatMap((d, a) => (wide.includes(a) ? [d, 1] : [d]));
    const fill = value.dims.flatMap((_, a) => (wide.includes(a) ? [0, gaps[a]! - 1] : [0]));
    const spread = b.pad(
      b.reshape(value, split),
      fill.map(() => 0),
      fill,
    );
    value = b.reshape(
      spread,
      value.dims.map((d, a) => d * gaps[a]!),
    );
  }
  return b.pad(value, before, after);
}
