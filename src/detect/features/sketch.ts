import { randomFrom } from '../../core/random.ts';

/** Features beyond this many are sketched: a covariance takes the square of their number, and every judgement too. */
export const MOST_FEATURES = 512;

/** Writes the sketch of one row of features. */
export type Sketch = (features: Float32Array, from: number, to: Float32Array) => void;

/**
 * Shortens rows of `width` features to {@link MOST_FEATURES} numbers whose inner products are on average those of the rows (count sketch; Charikar, Chen
 * and Farach-Colton 2002): each feature is added with a random sign to a random place. Rows that are short enough are copied. The same for every
 * model of a width. Cost: one pass.
 */
export function sketchFor(width: number): { readonly width: number; readonly sketch: Sketch } {
  if (width <= MOST_FEATURES)
    return {
      width,
      sketch: (features, from, to) => to.set(features.subarray(from, from + width)),
    };
  const rng = randomFrom(0, 'sketch', width);
  const place = new Uint16Array(width);
  const sign = new Float32Array(width);
  for (let i = 0; i < width; i++) {
    place[i] = rng.integer(MOST_FEATURES);
    sign[i] = rng.integer(2) === 0 ? 1 : -1;
  }
  return {
    width: MOST_FEATURES,
    sketch(features, from, to) {
      to.fill(0);
      for (let i = 0; i < width; i++) to[place[i]!]! += sign[i]! * features[from + i]!;
    },
  };
}
