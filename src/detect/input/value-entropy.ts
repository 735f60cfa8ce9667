/** Most values of a sample that are looked at: beyond, every second, third, … value is. */
const MOST = 4096;

const COUNTS = new Int32Array(256);

/**
 * Entropy of a sample's values as bytes, in bits (0 to 8): values are put into 256 bins from the least to the greatest that a value may have, and
 * Shannon's entropy of the bins' shares is taken. Noise that fills the range has almost 8 bits, a blank page 0; MNIST's digits lie between.
 * Values outside the range count as its ends, NaN as the low one. Cost: one pass over at most {@link MOST} values.
 */
export function valueEntropy(
  x: Float32Array,
  from: number,
  length: number,
  [low, high]: readonly [number, number],
): number {
  COUNTS.fill(0);
  const scale = 255 / (high - low);
  const stride = Math.ceil(length / MOST);
  let seen = 0;
  for (let i = from; i < from + length; i += stride) {
    const bin = (x[i]! - low) * scale + 0.5;
    COUNTS[bin > 0 ? (bin < 255 ? bin | 0 : 255) : 0]!++;
    seen++;
  }
  let bits = 0;
  for (let bin = 0; bin < 256; bin++) {
    const count = COUNTS[bin]!;
    if (count > 0) bits -= count * Math.log2(count / seen);
  }
  return seen === 0 ? 0 : bits / seen;
}
