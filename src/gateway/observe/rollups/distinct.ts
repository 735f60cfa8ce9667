/** 32 bits of a text (FNV-1a with a finish of MurmurHash3). `seed` is drawn by the process, so that nobody outside can foresee it. */
export function textHash(text: string, seed: number): number {
  let hash = seed ^ 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const REGISTERS = 1024;

/** How many different names were seen: HyperLogLog with 1024 registers (Flajolet et al. 2007; https://algo.inria.fr/flajolet/Publications/FlFuGaMe07.pdf), 3.3 % off, exact for a few. */
export type Distinct = Uint8Array;

/** Nobody was seen. */
export function newDistinct(): Distinct {
  return new Uint8Array(REGISTERS);
}

/** One was seen; `hash` as of {@link textHash}. */
export function seeHash(distinct: Distinct, hash: number): void {
  const place = hash & (REGISTERS - 1);
  const rank = Math.clz32(hash >>> 10) - 10 + 1;
  if (rank > distinct[place]!) distinct[place] = rank;
}

/** All that `more` saw were seen, too. */
export function addDistinct(distinct: Distinct, more: Uint8Array): void {
  if (more.length !== REGISTERS) return;
  for (let i = 0; i < REGISTERS; i++) if (more[i]! > distinct[i]!) distinct[i] = more[i]!;
}

/** How many were seen; by the share of empty registers while that tells more. */
export function countDistinct(distinct: Distinct): number {
  let sum = 0;
  let empty = 0;
  for (const rank of distinct) {
    sum += 2 ** -rank;
    if (rank === 0) empty++;
  }
  const estimate = ((0.7213 / (1 + 1.079 / REGISTERS)) * REGISTERS * REGISTERS) / sum;
  if (estimate <= 2.5 * REGISTERS && empty > 0) return Math.round(REGISTERS * Math.log(REGISTERS / empty));
  return Math.round(estimate);
}

/** Bits of a whole number that every engine and JavaScript hold exactly. */
const WORD = 52;
const WORDS = 4;

/** A sketch of addresses: {@link WORDS} numbers of 52 bits, which a store can join with a plain `or`. */
export type AddressSketch = [number, number, number, number];

/** No address was seen. */
export function newAddresses(): AddressSketch {
  return [0, 0, 0, 0];
}

/** One was seen. */
export function seeAddress(sketch: AddressSketch, hash: number): void {
  const bit = hash % (WORD * WORDS);
  const word = Math.floor(bit / WORD);
  const power = 2 ** (bit % WORD);
  if (Math.floor(sketch[word]! / power) % 2 === 0) sketch[word]! += power;
}

/** How many addresses were seen, by linear counting (Whang et al. 1990): near enough to a few hundred; about 1100 stands for more. */
export function countAddresses(sketch: readonly number[]): number {
  const bits = WORD * WORDS;
  let set = 0;
  for (const word of sketch) for (let rest = word; rest >= 1; rest = Math.floor(rest / 2)) set += rest % 2;
  return Math.round(bits * Math.log(bits / Math.max(1, bits - set)));
}
