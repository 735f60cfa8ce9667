import type { Convert } from './converted.ts';

/** Undoes 7-Zip's filter for ARM: targets of BL, which the packer made absolute. Source: the LZMA SDK's Bra.c. */
export const arm: Convert = (bytes, position) => {
  const end = bytes.length & ~3;
  for (let i = 0; i < end; i += 4) {
    if (bytes[i + 3] !== 0xeb) continue;
    const target = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16);
    const offset = ((target << 2) - (position + i + 8)) >>> 2;
    bytes[i] = offset;
    bytes[i + 1] = offset >>> 8;
    bytes[i + 2] = offset >>> 16;
  }
  return end;
};

/** The same for Thumb code, whose BL is a pair of instructions of two bytes each. */
export const armThumb: Convert = (bytes, position) => {
  let i = 0;
  for (; i + 4 <= bytes.length; i += 2) {
    if ((bytes[i + 1]! & 0xf8) !== 0xf0 || (bytes[i + 3]! & 0xf8) !== 0xf8) continue;
    const target =
      ((bytes[i + 1]! & 7) << 19) | (bytes[i]! << 11) | ((bytes[i + 3]! & 7) << 8) | bytes[i + 2]!;
    const offset = ((target << 1) - (position + i + 4)) >>> 1;
    bytes[i + 1] = 0xf0 | ((offset >>> 19) & 7);
    bytes[i] = offset >>> 11;
    bytes[i + 3] = 0xf8 | ((offset >>> 8) & 7);
    bytes[i + 2] = offset;
    i += 2;
  }
  return i;
};

/** The same for ARM64: targets of BL and pages of ADRP within 512 MiB. Source: the LZMA SDK's Bra.c, version 23. */
export const arm64: Convert = (bytes, position) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = bytes.length & ~3;
  for (let i = 0; i < end; i += 4) {
    const instruction = view.getUint32(i, true);
    const place = (position + i) >>> 0;
    if (instruction >>> 26 === 0x25) {
      view.setUint32(i, 0x94000000 | ((instruction - (place >>> 2)) & 0x03ffffff), true);
    } else if ((instruction & 0x9f000000) >>> 0 === 0x90000000) {
      const page = ((instruction >>> 29) & 3) | ((instruction >>> 3) & 0x001ffffc);
      if (((page + 0x00020000) & 0x001c0000) !== 0) continue;
      const offset = page - (place >>> 12);
      const high = (offset & 0x0003fffc) << 3;
      const sign = -(offset & 0x00020000) & 0x00e00000;
      view.setUint32(i, (instruction & 0x9000001f) | ((offset & 3) << 29) | high | sign, true);
    }
  }
  return end;
};
