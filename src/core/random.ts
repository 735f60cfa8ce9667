import { GlacisError } from './error.ts';

/**
 * Random numbers that depend on a seed and on what they are for, never on the order of calls elsewhere.
 *
 * Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a counter-based generator, so that
 * the stream of `(seed, attack, sample)` is the same whatever the batch size or the order of samples.
 */
export interface Rng {
  /** Uniform in [0, 1) with 32 random bits (float64). */
  uniform(): number;
  /** Standard normal (Box-Muller on two uniforms). */
  normal(): number;
  /** Uniform integer in [0, n), without modulo bias; `n` between 1 and 2³², anything else is a `RangeError`. */
  integer(n: number): number;
  /** An independent stream for `keys`: the same for the same parent and keys, however much was drawn from the parent. */
  fork(...keys: readonly [string | number, ...(string | number)[]]): Rng;
}

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** One Philox4x32-10 block: counter (4 words) and key (2 words) to 4 random words. */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const hi0 = mulHigh(M0, c0);
    const lo0 = Math.imul(M0, c0) >>> 0;
    const hi1 = mulHigh(M1, c2);
    const lo1 = Math.imul(M1, c2) >>> 0;
    const n0 = (hi1 ^ c1 ^ k0) >>> 0;
    const n2 = (hi0 ^ c3 ^ k1) >>> 0;
    c0 = n0;
    c1 = lo1;
    c2 = n2;
    c3 = lo0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** High 32 bits of the 64-bit product of two unsigned 32-bit numbers. */
function mulHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const mid = aHigh * bLow + ((aLow * bLow) >>> 16);
  const mid2 = aLow * bHigh + (mid & 0xffff);
  return (aHigh * bHigh + Math.floor(mid / 65536) + Math.floor(mid2 / 65536)) >>> 0;
}

/** 32-bit FNV-1a over a text's UTF-16 units, started from `basis`. */
function hashText(text: string, basis: number): number {
  let h = basis >>> 0;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ (text.charCodeAt(i) & 0xff), 0x01000193);
    h = Math.imul(h ^ (text.charCodeAt(i) >>> 8), 0x01000193);
  }
  return h >>> 0;
}

/** The Philox key of a child stream: one block keyed by the parent for each of `keys`. */
function childKey(
  parent: readonly [number, number],
  keys: readonly (string | number)[],
): readonly [number, number] {
  let key = parent;
  for (const k of keys) {
    const text = typeof k === 'number' ? `#${k}` : `$${k}`;
    const block = philox4x32(
      [hashText(text, 0x811c9dc5), hashText(text, 0x9747b28c), text.length >>> 0, 0x676c6163],
      key,
    );
    key = [block[0], block[1]];
  }
  return key;
}

/**
 * The generator of `seed` (a whole number of at most 2⁵³ − 1 either way) and `keys`. Pure: the same arguments give the same
 * stream on every machine. Errors: `option/invalid` for another seed.
 *
 * @example
 * const start = randomFrom(seed, 'pgd', sampleIndex).uniform();
 */
export function randomFrom(seed: number, ...keys: readonly (string | number)[]): Rng {
  if (!Number.isSafeInteger(seed))
    throw new GlacisError(
      'option/invalid',
      `seed: expected a whole number of at most 2^53 - 1 either way, got ${seed}`,
    );
  return stream(childKey([seed >>> 0, Math.floor(seed / 4294967296) >>> 0], keys));
}

function stream(key: readonly [number, number]): Rng {
  let counter = 0;
  let block: readonly number[] = [];
  let at = 4;
  const word = (): number => {
    if (at === 4) {
      block = philox4x32([counter >>> 0, Math.floor(counter / 4294967296) >>> 0, 0, 0], key);
      counter++;
      at = 0;
    }
    return block[at++]!;
  };
  const uniform = () => word() / 4294967296;
  let spare: number | undefined;
  return {
    uniform,
    normal() {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      const angle = 2 * Math.PI * uniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    integer(n) {
      if (!(Number.isInteger(n) && n >= 1 && n <= 4294967296))
        throw new RangeError(`integer: expected a bound between 1 and 2^32, got ${n}`);
      const limit = 4294967296 - (4294967296 % n);
      let w = word();
      while (w >= limit) w = word();
      return w % n;
    },
    fork: (...keys) => stream(childKey(key, keys)),
  };
}
