/** One element of DER: tag, and where its content lies. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
}

/**
 * The elements that `bytes` consists of, one level deep. Bytes are attacker-controlled; `undefined` when they are not whole elements with
 * lengths in their shortest form.
 */
export function derElements(bytes: Uint8Array): readonly DerElement[] | undefined {
  const found: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at]!;
    let length = bytes[at + 1];
    // Tags of more than one byte do not occur in certificates.
    if ((tag & 0x1f) === 0x1f || length === undefined) return undefined;
    at += 2;
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0 || count > 4 || at + count > bytes.length || bytes[at] === 0) return undefined;
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + bytes[at + i]!;
      if (length < 0x80) return undefined;
      at += count;
    }
    if (at + length > bytes.length) return undefined;
    found.push({ tag, content: bytes.subarray(at, at + length) });
    at += length;
  }
  return found;
}

/** An object identifier in dots. */
export function oidText(content: Uint8Array): string {
  const parts: bigint[] = [];
  let value = 0n;
  for (const byte of content) {
    value = (value << 7n) | BigInt(byte & 0x7f);
    if (byte & 0x80) continue;
    parts.push(value);
    value = 0n;
  }
  const first = parts.shift() ?? 0n;
  const root = first < 40n ? 0n : first < 80n ? 1n : 2n;
  return [root, first - root * 40n, ...parts].join('.');
}
