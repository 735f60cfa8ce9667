import type { KeyStream, Purpose } from './key-stream.ts';

const TWO_26 = 2 ** 26;
const UNIT = 2 ** -53;

/**
 * Reads numbers, each uniform on the multiples of 2⁻⁵³ in [0, 1), of a purpose in a step, from their beginning: each call fills `into`
 * with the next ones. A few thousand at a time stay in the cache.
 */
export function uniformReader(
  stream: KeyStream,
  purpose: Purpose,
  step: number,
): (into: Float64Array) => void {
  const read = stream.reader(purpose, step);
  return (into) => {
    const bytes = read(8 * into.length);
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, 2 * into.length);
    for (let i = 0; i < into.length; i++)
      into[i] = ((words[2 * i]! >>> 5) * TWO_26 + (words[2 * i + 1]! >>> 6)) * UNIT;
  };
}
