import { GlacisError } from '../src/core/error.ts';
import { openFile } from '../src/data/byte-source.ts';
import { openNpy } from '../src/data/npy.ts';

/** How far two arrays are apart. */
export interface Difference {
  /** Largest absolute difference of two elements. */
  readonly absolute: number;
  /** Euclidean length of the difference over that of the reference (the difference's own when the reference is zero). */
  readonly relative: number;
}

/** Compares two arrays element by element; one that is not finite makes both figures NaN or infinite, never small. */
export function differenceOf(got: ArrayLike<number>, reference: ArrayLike<number>): Difference {
  if (got.length !== reference.length) {
    throw new GlacisError(
      'data/mismatch',
      `outputs: expected ${reference.length} elements, got ${got.length}`,
    );
  }
  let absolute = 0;
  let apart = 0;
  let length = 0;
  for (let i = 0; i < got.length; i++) {
    const distance = Math.abs(got[i]! - reference[i]!);
    absolute = Math.max(absolute, distance); // NaN stays NaN, which a comparison with `>` would drop
    apart += distance * distance;
    length += reference[i]! * reference[i]!;
  }
  return { absolute, relative: Math.sqrt(length > 0 ? apart / length : apart) };
}

/** Reads two `.npy` files of floats and compares them; shapes must be equal. Errors: `data/unreadable`, `data/mismatch`. */
export async function compareFiles(got: string, reference: string): Promise<Difference> {
  const [a, b] = await Promise.all([readFloats(got), readFloats(reference)]);
  if (a.shape.join() !== b.shape.join()) {
    throw new GlacisError(
      'data/mismatch',
      `${got}: expected shape [${b.shape.join(', ')}], got [${a.shape.join(', ')}]`,
    );
  }
  return differenceOf(a.data, b.data);
}

/** A whole `.npy` file of 32- or 64-bit floats. Errors: `data/unreadable`, `data/mismatch`. */
export async function readFloats(
  path: string,
): Promise<{ data: Float32Array | Float64Array; shape: readonly number[] }> {
  const array = await openNpy(await openFile(path), path, 2 ** 30);
  try {
    const data = await array.read(0, array.shape[0] ?? 1);
    if (data instanceof Float32Array || data instanceof Float64Array) return { data, shape: array.shape };
    throw new GlacisError('data/mismatch', `${path}: expected floats, got ${array.type}`);
  } finally {
    await array.close();
  }
}
