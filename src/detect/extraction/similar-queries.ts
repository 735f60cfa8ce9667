import { GlacisError } from '../../core/error.ts';

/** How {@link similarQueries} looks at one client's queries. */
export interface SimilarSettings {
  /** Length of an encoding. */
  readonly width: number;
  /** Queries whose encodings are nearer are a pair. */
  readonly radius: number;
  /** Encodings that are remembered. */
  readonly most: number;
}

/** One client's queries. */
export interface SimilarQueries {
  /** Takes the encoding at `offset`; gives how many queries of the client have had one of those remembered near by. */
  observe(encodings: Float32Array, offset: number): number;
}

/**
 * SEAT's count (Zhang, Chen and Wagner 2021, "SEAT: Similarity Encoder by Adversarial Training for Detecting Model Extraction Attack Queries"): queries
 * that an encoder finds too similar to an earlier one of the same client. Synthetic queries that are made from each other are; a client's own data are not.
 * Deviation: the published encoder is trained for it; any encoding can be given here, and the last `most` are remembered instead of all. Memory: `4 · most · width` bytes.
 * Cost: `most · width` products at most. Errors: `option/invalid`.
 */
export function similarQueries({ width, radius, most }: SimilarSettings): SimilarQueries {
  if (!(width >= 1 && radius > 0 && most >= 1 && most * width <= 2 ** 24))
    throw new GlacisError(
      'option/invalid',
      'similar queries: expected a width, a radius above 0 and a bounded number of encodings',
    );
  const rows = new Float32Array(most * width);
  let added = 0;
  let similar = 0;
  return {
    observe(encodings, offset) {
      const within = radius * radius;
      const count = Math.min(added, most);
      let found = false;
      for (let row = 0; row < count && !found; row++) {
        let total = 0;
        for (let i = 0, from = row * width; i < width && total < within; i++) {
          const gap = encodings[offset + i]! - rows[from + i]!;
          total += gap * gap;
        }
        found = total < within;
      }
      if (found) similar++;
      rows.set(encodings.subarray(offset, offset + width), (added % most) * width);
      added++;
      return similar;
    },
  };
}
