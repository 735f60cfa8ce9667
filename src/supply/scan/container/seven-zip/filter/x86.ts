import type { Convert } from './converted.ts';

/** By which of the last three bytes were opcodes: whether what stands here may be a target, and which byte of it decides. */
const MAY_BE_TARGET = [true, true, true, false, true, false, false, false];
const DECIDES = [0, 1, 2, 2, 3, 3, 3, 3];

const isSign = (byte: number) => byte === 0 || byte === 0xff;

/**
 * Undoes 7-Zip's filter BCJ for x86: targets of CALL and JMP, which the packer made absolute. It has to take the same bytes for
 * opcodes as the packer did, so it follows the packer's guess step by step. Source: `x86_Convert` of the LZMA SDK 9.20 (Bra86.c).
 */
export function x86(): Convert {
  // Which of the three bytes before the next one looked like opcodes.
  let mask = 0;
  return (bytes, position) => {
    if (bytes.length < 5) return 0;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const limit = bytes.length - 4;
    let at = 0;
    let last = -1;
    for (;;) {
      while (at < limit && (bytes[at]! & 0xfe) !== 0xe8) at++;
      const gap = at - last;
      if (at >= limit) {
        mask = gap > 3 ? 0 : (mask << (gap - 1)) & 7;
        return at;
      }
      last = at;
      mask = gap > 3 ? 0 : (mask << (gap - 1)) & 7;
      const misplaced = mask !== 0 && (!MAY_BE_TARGET[mask] || isSign(bytes[at + 4 - DECIDES[mask]!]!));
      if (misplaced || !isSign(bytes[at + 4]!)) {
        mask = ((mask << 1) & 7) | 1;
        at++;
        continue;
      }
      const offset = offsetOf(view.getUint32(at + 1, true), position + at + 5, mask);
      // Targets have 25 bits, the highest of which is the sign.
      view.setUint32(at + 1, (offset << 7) >> 7, true);
      at += 5;
    }
  };
}

function offsetOf(target: number, from: number, mask: number): number {
  const index = DECIDES[mask]! * 8;
  for (let address = target; ; ) {
    const offset = (address - from) >>> 0;
    if (mask === 0 || !isSign((offset >>> (24 - index)) & 255)) return offset;
    address = (offset ^ (2 ** (32 - index) - 1)) >>> 0;
  }
}
