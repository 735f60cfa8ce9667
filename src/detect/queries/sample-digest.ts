import { mixed } from './salted-hashes.ts';

/**
 * Two 32-bit hashes of the bits of the `size` elements at `offset`, keyed by `salt`: equal for equal samples, and otherwise as good as never together. Not a commitment: who
 * knows the salt can make collisions. Cost: one pass.
 */
export function sampleDigest(
  x: Float32Array,
  offset: number,
  size: number,
  salt: number,
): readonly [number, number] {
  const bits = new Uint32Array(x.buffer, x.byteOffset + 4 * offset, size);
  let a = mixed(salt >>> 0);
  let b = mixed(Math.floor(salt / 2 ** 32) ^ 0x5bd1e995);
  for (let i = 0; i < size; i++) {
    const word = bits[i]!;
    a = Math.imul(a ^ word, 0x85ebca6b);
    a ^= a >>> 15;
    b = Math.imul(b + word, 0xc2b2ae35);
    b ^= b >>> 13;
  }
  return [mixed(a), mixed(b)];
}
