import { GlacisError } from '../../core/error.ts';
import type { Rng } from '../../core/random.ts';
import type { ImageDims } from '../image-dims.ts';
import type { Planes } from './planes.ts';
import { CORRUPTION_SEVERITIES, type CorruptionSeverity } from './severity.ts';

/** The four families of Hendrycks & Dietterich 2019. */
export const CORRUPTION_FAMILIES = ['noise', 'blur', 'weather', 'digital'] as const;

/** One of {@link CORRUPTION_FAMILIES}. */
export type CorruptionFamily = (typeof CORRUPTION_FAMILIES)[number];

/** One way in which a picture suffers without an attacker. */
export interface Corruption {
  /** E.g. `motion-blur`. */
  readonly id: string;
  /** E.g. `Motion blur`. */
  readonly title: string;
  readonly family: CorruptionFamily;
  /** The corrupted planes; values may leave [0, 1] and are clipped afterwards. Pure, but for what it draws from `rng`. */
  distort(picture: Planes, severity: CorruptionSeverity, rng: Rng): ArrayLike<number>;
}

/** Room for rounding when a caller has mapped another range to [0, 1]. */
const SLACK = 1e-4;

/**
 * The picture, corrupted: `channels × height × width` values in [0, 1], in the layout of `dims`. The same arguments and the
 * same stream give the same values.
 * Errors: `data/mismatch` (sizes that do not fit, values outside [0, 1]), `data/not-finite`, `option/invalid` (severity).
 *
 * @param image values in [0, 1]; not changed
 * @example
 * const dims = { channels: 3, height: 32, width: 32, layout: 'chw' } as const;
 * corrupt(corruptionFrom('fog'), image, dims, 3, randomFrom(seed, 'fog', sample));
 */
export function corrupt(
  corruption: Pick<Corruption, 'distort'>,
  image: Float32Array,
  dims: ImageDims,
  severity: CorruptionSeverity,
  rng: Rng,
): Float32Array {
  if (!CORRUPTION_SEVERITIES.includes(severity))
    throw new GlacisError('option/invalid', `corruption: expected a severity from 1 to 5, got ${severity}`);
  const values = planar(checked(image, dims), dims);
  const { channels, height, width } = dims;
  const distorted = corruption.distort({ channels, height, width, values }, severity, rng);
  const out = new Float32Array(image.length);
  const size = height * width;
  const last = dims.layout === 'hwc';
  for (let i = 0; i < out.length; i++) {
    const to = last ? (i % size) * channels + Math.floor(i / size) : i;
    out[to] = Math.min(1, Math.max(0, distorted[i]!));
  }
  return out;
}

/** The image itself, if it fits its sizes and its values lie in [0, 1]. */
function checked(image: Float32Array, { channels, height, width }: ImageDims): Float32Array {
  const sizes = [channels, height, width];
  if (
    !sizes.every((size) => Number.isSafeInteger(size) && size >= 1) ||
    image.length !== channels * height * width
  )
    throw new GlacisError(
      'data/mismatch',
      `corruption: expected ${channels} × ${height} × ${width} values (each 1 or more), got ${image.length}`,
    );
  for (let i = 0; i < image.length; i++) {
    const value = image[i]!;
    if (!Number.isFinite(value))
      throw new GlacisError(
        'data/not-finite',
        `corruption: expected finite values, got one that is not, at ${i}`,
      );
    if (value < -SLACK || value > 1 + SLACK)
      throw new GlacisError(
        'data/mismatch',
        `corruption: expected values from 0 to 1, got one outside, at ${i}`,
      );
  }
  return image;
}

/** A copy as planes, clipped to [0, 1]. */
function planar(image: Float32Array, { channels, height, width, layout }: ImageDims): Float32Array {
  const size = height * width;
  const last = layout === 'hwc';
  const out = new Float32Array(image.length);
  for (let i = 0; i < out.length; i++) {
    const from = last ? (i % size) * channels + Math.floor(i / size) : i;
    out[i] = Math.min(1, Math.max(0, image[from]!));
  }
  return out;
}
