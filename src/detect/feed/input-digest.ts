/** A 52-bit digest of float32 values by their bits (two FNV-1a hashes): equal for equal values. For repetitions of one party, who gains nothing by a collision. */
export function inputDigest(x: Float32Array): number {
  const words = new Uint32Array(x.buffer, x.byteOffset, x.length);
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    a = Math.imul(a ^ word, 0x01000193) ^ (a >>> 15);
    b = Math.imul(b ^ word, 0x85ebca6b) ^ (b >>> 13);
  }
  return (a >>> 0) * 2 ** 20 + ((b >>> 0) & 0xfffff);
}
