import { randomFrom } from '../../core/random.ts';

/** Groups of cells, and how many cells a group has: small groups survive larger changes, large ones are found among more queries. */
const GROUPS = [3, 3, 3, 3, 3, 3, 3, 3, 5, 5, 5, 5, 5, 5, 5, 5, 10, 10, 10, 10, 10, 10, 10, 10] as const;

/** Hashes of a sample's cells. */
export interface SaltedHashes {
  readonly count: number;
  /** Writes `count` 32-bit hashes; samples whose cells are near each other have some in common. */
  of(cells: Float32Array, out: Uint32Array): void;
}

/**
 * Locality-sensitive hashes of quantised cells, after Blacklight's fingerprints (Li et al. 2022, "Blacklight: Scalable Defense for Neural Networks against
 * Query-Based Black-Box Attacks"): each hashes a group of cells, quantised in steps of `step`. Which cells make a group and where their steps begin follows from the
 * secret `salt`, so that nobody can aim at the edges between two steps, or change one cell of every group with few changes.
 *
 * Deviation: Blacklight hashes windows of single pixels and takes the largest 50 as they are. On digits its matches do not tell the boundary attack or SimBA
 * from calm queries (measured: 26 % and 62 % of the hashes in common with the nearest earlier query of the attack; calm digits reach 66 % with some of 1,500 others); these
 * hashes only nominate earlier queries, and a distance decides.
 */
export function saltedHashes(cells: number, step: number, salt: number): SaltedHashes {
  const rng = randomFrom(salt, 'salted-hashes');
  const groups = GROUPS.map((wanted) => {
    const width = Math.min(wanted, Math.max(1, Math.ceil(cells / 2)));
    const left = Array.from({ length: cells }, (_, i) => i);
    return Uint8Array.from({ length: width }, () => left.splice(rng.integer(left.length), 1)[0]!);
  });
  const begins = groups.map((group) => Float32Array.from(group, () => rng.uniform()));
  const keys = Uint32Array.from(groups, () => rng.integer(2 ** 32));
  return {
    count: GROUPS.length,
    of(values, out) {
      for (let g = 0; g < groups.length; g++) {
        const group = groups[g]!;
        const begin = begins[g]!;
        let h = keys[g]!;
        for (let i = 0; i < group.length; i++)
          h = Math.imul(h ^ Math.floor(values[group[i]!]! / step + begin[i]!), 0x9e3779b1) + 0x7f4a7c15;
        out[g] = mixed(h);
      }
    },
  };
}

/** Spreads 32 bits (the finaliser of MurmurHash3). */
export function mixed(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
