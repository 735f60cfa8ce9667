import type { KeyStream, Purpose } from './key-stream.ts';
import { uniformReader } from './uniforms.ts';

/** Normal draws that one number of noise is the sum of. */
const SUMMANDS = 4;
/** Pairs of numbers whose uniforms are read at a time. */
const PAIRS = 512;

/**
 * `count` numbers of normal noise with standard deviation `sigma`, for a purpose in a step.
 *
 * Each is `(z₁ + z₂ + z₃ + z₄) / 2 · sigma`, where the `z` are of Box and Muller from uniform numbers of 53 bits. A single float64 normal
 * takes values with gaps that an attacker knows, from which the number without noise may be found (Mironov 2012); of a sum of four the
 * attacker would have to guess three (Holohan & Braghin 2021, with n = 2, as in Opacus' secure mode). The caller adds the noise in float64
 * and rounds the sum to a coarser grid (see `private-update.ts`), which takes the gaps themselves away.
 *
 * Cost: four logarithms, roots, sines and cosines for two numbers.
 */
export function gaussianNoise(
  stream: KeyStream,
  purpose: Purpose,
  step: number,
  { count, sigma }: { readonly count: number; readonly sigma: number },
): Float64Array {
  const pairs = Math.ceil(count / 2);
  const out = new Float64Array(2 * pairs);
  const read = uniformReader(stream, purpose, step);
  const uniforms = new Float64Array(2 * SUMMANDS * PAIRS);
  const half = sigma / Math.sqrt(SUMMANDS);
  for (let from = 0; from < pairs; from += PAIRS) {
    const to = Math.min(pairs, from + PAIRS);
    read(uniforms.subarray(0, 2 * SUMMANDS * (to - from)));
    for (let pair = from, at = 0; pair < to; pair++) {
      let [x, y] = [0, 0];
      for (let k = 0; k < SUMMANDS; k++, at += 2) {
        // 1 − u lies in (0, 1].
        const radius = Math.sqrt(-2 * Math.log(1 - uniforms[at]!));
        const angle = 2 * Math.PI * uniforms[at + 1]!;
        x += radius * Math.cos(angle);
        y += radius * Math.sin(angle);
      }
      out[2 * pair] = half * x;
      out[2 * pair + 1] = half * y;
    }
  }
  return out.subarray(0, count);
}
