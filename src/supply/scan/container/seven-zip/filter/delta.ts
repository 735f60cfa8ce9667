import type { Convert } from './converted.ts';

/** Undoes 7-Zip's filter Delta: each byte is the difference to the one `distance` (1 to 256) before it. Source: the LZMA SDK's Delta.c. */
export function delta(distance: number): Convert {
  const before = new Uint8Array(distance);
  let at = 0;
  return (bytes) => {
    for (let i = 0; i < bytes.length; i++) {
      bytes[i] = before[at] = bytes[i]! + before[at]!;
      at = at + 1 === distance ? 0 : at + 1;
    }
    return bytes.length;
  };
}
