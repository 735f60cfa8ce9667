import { GlacisError } from '../../core/error.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { Constraint } from '../constraint.ts';
import { intoBall } from './ball.ts';
import { constraintOf } from './row-rule.ts';

/**
 * Only some elements of a sample may change: those where `values` (0 or 1, row-major, of `shape`) is 1.
 * The mask has the sample's shape; axes of size 1 and missing axes in front are repeated (NumPy's broadcasting), and a mask
 * `[height, width]` also fits samples `[height, width, channels]`. Where both fit, the channels are first.
 * Errors: `data/mismatch` (another shape, other values, or nothing may change).
 *
 * @example
 * const glasses = mask(pixels, [28, 28], [1, 28, 28]);
 */
export function mask(
  values: ArrayLike<number>,
  shape: readonly number[],
  sampleShape: readonly number[],
): Constraint {
  const fixed = fixedElements(values, shape, sampleShape);
  const total = elementCount(sampleShape);
  const count = total - fixed.length;
  if (count === 0)
    throw new GlacisError('data/mismatch', 'mask: expected elements that may change (1), got none');
  const free = new Uint8Array(total).fill(1);
  for (const i of fixed) free[i] = 0;
  return constraintOf({
    id: 'mask',
    title: `only ${count} of ${total} elements may change`,
    length: total,
    free,
    move(row, clean, ball) {
      for (const i of fixed) row[i] = clean[i]!;
      intoBall(ball, row, clean);
    },
    violation(row, clean) {
      let changed = 0;
      for (const i of fixed) if (row[i] !== clean[i]) changed++;
      return changed === 0 ? undefined : `elements changed that the mask holds fixed: ${changed}`;
    },
  });
}

/** Numbers of the elements of a sample that the mask holds fixed. */
function fixedElements(
  values: ArrayLike<number>,
  shape: readonly number[],
  sampleShape: readonly number[],
): Int32Array {
  const at = broadcast(shape, sampleShape);
  const wanted = elementCount(shape);
  if (!at || values.length !== wanted)
    throw new GlacisError(
      'data/mismatch',
      `mask: expected the shape of a sample, [${sampleShape.join(', ')}], or one that repeats to it, got [${shape.join(', ')}]`,
    );
  const fixed: number[] = [];
  for (const [i, from] of at.entries()) {
    const value = values[from]!;
    if (value !== 0 && value !== 1)
      throw new GlacisError(
        'data/mismatch',
        'mask: expected 0 (fixed) and 1 (may change) only, got another value',
      );
    if (value === 0) fixed.push(i);
  }
  return Int32Array.from(fixed);
}

/** For each element of a sample its place in the mask; `undefined` when the shapes do not fit. */
function broadcast(shape: readonly number[], sampleShape: readonly number[]): Int32Array | undefined {
  const rank = sampleShape.length;
  const fits = (dims: readonly number[]) =>
    dims.length === rank && dims.every((size, axis) => size === 1 || size === sampleShape[axis]);
  const leading = [...new Array<number>(Math.max(0, rank - shape.length)).fill(1), ...shape];
  const trailing = rank === 3 && shape.length === 2 ? [...shape, 1] : leading;
  const dims = fits(leading) ? leading : fits(trailing) ? trailing : undefined;
  if (!dims) return undefined;
  const total = elementCount(sampleShape);
  return Int32Array.from({ length: total }, (_, i) => {
    let rest = i;
    let at = 0;
    let stride = 1;
    for (let axis = rank - 1; axis >= 0; axis--) {
      const size = sampleShape[axis]!;
      if (dims[axis] !== 1) at += (rest % size) * stride;
      stride *= dims[axis]!;
      rest = Math.floor(rest / size);
    }
    return at;
  });
}
