/**
 * Text of a model file. ONNX says UTF-8, but attributes hold whatever bytes an exporter put there. Bytes that are not
 * UTF-8 become the lone surrogates U+DC80 to U+DCFF (as in Python's PEP 383), which valid text never holds, so that every
 * byte string survives reading and writing and no two of them become the same text.
 */

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Decodes UTF-8; every byte that does not belong to valid UTF-8 becomes one lone surrogate. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeEscaped(bytes);
  }
}

function decodeEscaped(bytes: Uint8Array): string {
  const parts: string[] = [];
  let good = 0;
  let i = 0;
  while (i < bytes.length) {
    const length = sequenceLength(bytes, i);
    if (length > 0) {
      i += length;
      continue;
    }
    if (i > good) parts.push(strict.decode(bytes.subarray(good, i)));
    parts.push(String.fromCharCode(0xdc00 + bytes[i]!));
    good = ++i;
  }
  if (i > good) parts.push(strict.decode(bytes.subarray(good, i)));
  return parts.join('');
}

/** Bytes of the valid UTF-8 sequence at `i` (Unicode 16, table 3-7), or 0. */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const first = bytes[i]!;
  if (first < 0x80) return 1;
  const length =
    first >= 0xc2 && first <= 0xdf
      ? 2
      : first >= 0xe0 && first <= 0xef
        ? 3
        : first >= 0xf0 && first <= 0xf4
          ? 4
          : 0;
  if (length === 0 || i + length > bytes.length) return 0;
  const second = bytes[i + 1]!;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let k = 2; k < length; k++) if ((bytes[i + k]! & 0xc0) !== 0x80) return 0;
  return length;
}

/** The inverse of {@link decodeText}. Lone surrogates outside U+DC80 to U+DCFF, which it never makes, become U+FFFD. */
export function encodeText(text: string): Uint8Array {
  if (text.isWellFormed()) return encoder.encode(text);
  const parts: Uint8Array[] = [];
  // A run of escapes, or a run of anything else.
  for (const run of text.match(
    /(?:(?<![\ud800-\udbff])[\udc80-\udcff])+|(?:[\ud800-\udbff][\udc00-\udfff]|[^\udc80-\udcff])+/g,
  ) ?? []) {
    const unit = run.charCodeAt(0);
    const escaped = unit >= 0xdc80 && unit <= 0xdcff;
    parts.push(escaped ? Uint8Array.from(run, (c) => c.charCodeAt(0) - 0xdc00) : encoder.encode(run));
  }
  return Uint8Array.from(Buffer.concat(parts));
}
