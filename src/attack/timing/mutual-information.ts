import type { Rng } from '../../core/random.ts';

/** How much an observation says about its class. */
export interface Information {
  /** Bits, less what chance alone gives; at most 1. */
  readonly bits: number;
  /** What chance gives on average: the mean over the permutations. */
  readonly chance: number;
  /** How often classes without meaning say as much: at least 1/(permutations + 1). */
  readonly p: number;
}

/**
 * Mutual information of class and bin, with a permutation null: within each pair the classes are exchanged at random, which keeps
 * every drift of the machine. The plug-in estimate is too high by what bins alone give; the mean over permutations is taken off.
 */
export function mutualInformation(
  a: Uint16Array,
  b: Uint16Array,
  bins: number,
  { permutations, rng }: { readonly permutations: number; readonly rng: Rng },
): Information {
  const pairs = a.length;
  const counts = [new Float64Array(bins), new Float64Array(bins)] as const;
  const total = new Float64Array(bins);
  for (let i = 0; i < pairs; i++) {
    counts[0][a[i]!]!++;
    counts[1][b[i]!]!++;
    total[a[i]!]!++;
    total[b[i]!]!++;
  }
  const seen = informationOf(counts, total, pairs);
  let [sum, above] = [0, 0];
  for (let round = 0; round < permutations; round++) {
    counts[0].fill(0);
    for (let i = 0; i < pairs; ) {
      let coins = rng.integer(2 ** 32);
      for (let bit = 0; bit < 32 && i < pairs; bit++, i++, coins >>>= 1)
        counts[0][coins & 1 ? b[i]! : a[i]!]!++;
    }
    for (let k = 0; k < bins; k++) counts[1][k] = total[k]! - counts[0][k]!;
    const drawn = informationOf(counts, total, pairs);
    sum += drawn;
    if (drawn >= seen - 1e-12) above++;
  }
  const chance = permutations > 0 ? sum / permutations : 0;
  return { bits: Math.max(0, seen - chance), chance, p: (above + 1) / (permutations + 1) };
}

/** Σ p(class, bin) log₂ [p(class, bin) / (p(class) p(bin))] with even classes. */
function informationOf(
  counts: readonly [Float64Array, Float64Array],
  total: Float64Array,
  pairs: number,
): number {
  let bits = 0;
  for (const count of counts)
    for (let k = 0; k < count.length; k++)
      if (count[k]! > 0) bits += (count[k]! / (2 * pairs)) * Math.log2((2 * count[k]!) / total[k]!);
  return bits;
}
