/** What plain values of a sample may be. */
export interface PlainLimits {
  /** Least and greatest value; nothing is known of the range without. */
  readonly range?: readonly [number, number] | undefined;
  /** Refuses samples of which all values are equal, from {@link CONSTANT_FROM} values on. */
  readonly constant: boolean;
  /** The largest share of values that may be denormal: kernels are up to a hundred times slower on them, which an attacker can use and measure. */
  readonly denormal: number;
}

/** Samples of fewer values may well be constant: a table's row of zeros. */
export const CONSTANT_FROM = 16;

/** The least normal float32. */
const LEAST_NORMAL = 2 ** -126;

/** What is wrong with a sample, in words without its values; `undefined` where nothing is. NaN and infinities are out of every range. */
export function plainFault(
  x: Float32Array,
  from: number,
  length: number,
  { range, constant, denormal }: PlainLimits,
): string | undefined {
  const [low, high] = range ?? [-3.4028234663852886e38, 3.4028234663852886e38];
  const first = x[from];
  let same = 0;
  let small = 0;
  for (let i = from; i < from + length; i++) {
    const value = x[i]!;
    // Written so that NaN does not pass.
    if (!(value >= low && value <= high)) return `element ${i - from} is outside the range`;
    if (value === first) same++;
    if (value < LEAST_NORMAL && value > -LEAST_NORMAL && value !== 0) small++;
  }
  if (constant && length >= CONSTANT_FROM && same === length) return 'all values are equal';
  if (small > denormal * length) return `${small} of ${length} values are denormal`;
  return undefined;
}
