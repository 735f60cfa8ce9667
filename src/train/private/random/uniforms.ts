import type { KeyStream, Purpose } from './key-stream.ts';

const TWO_26 = 2 ** 26;
const UNIT = 2 ** -53;

/** Bytes that one uniform number takes. */
export const UNIFORM_BYTES = 8;

/** `count` numbers, each uniform on the multiples of 2⁻⁵³ in [0, 1), of a purpose in a step. */
export function uniformsOf(stream: KeyStream, purpose: Purpose, step: number, count: number): Float64Array {
  const bytes = stream.bytes(purpose, step, UNIFORM_BYTES * count);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, 2 * count);
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++)
    out[i] = ((words[2 * i]! >>> 5) * TWO_26 + (words[2 * i + 1]! >>> 6)) * UNIT;
  return out;
}
