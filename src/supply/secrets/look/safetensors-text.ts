import { type ByteSource, rangeSource } from '../../../data/byte-source.ts';
import type { TextPiece } from './piece.ts';
import { windowsOf } from './windows.ts';

/** Headers up to here are parsed; longer ones are looked at as text. */
const PARSED = 1 << 24;

/** Length of a safetensors header that fits the file, or `undefined` where the bytes are of another format. */
export function safetensorsHeader(head: Uint8Array, size: number): number | undefined {
  if (head.length < 9 || head[8] !== 0x7b) return undefined;
  const length = Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true));
  return length <= size - 8 ? length : undefined;
}

/** The texts of a safetensors header: each entry of `__metadata__`, or the header itself where it does not parse. */
export async function* safetensorsTexts(source: ByteSource, length: number): AsyncGenerator<TextPiece> {
  const header = length <= PARSED ? parsed(await source.read(8, length)) : undefined;
  const metadata = header?.__metadata__;
  if (header === undefined) {
    yield* windowsOf(rangeSource(source, 8, length, 'header'), { place: 'header' });
  } else if (typeof metadata === 'object' && metadata !== null) {
    for (const [key, value] of Object.entries(metadata)) {
      yield { place: 'metadata key', text: key };
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      yield { place: `metadata '${key.slice(0, 60)}'`, text: text.toWellFormed() };
    }
  }
}

function parsed(bytes: Uint8Array): { readonly __metadata__?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
