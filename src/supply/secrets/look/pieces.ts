import { GlacisError } from '../../../core/error.ts';
import type { ByteSource } from '../../../data/byte-source.ts';
import { WireError } from '../../../onnx/wire.ts';
import { isNotebook, type Json } from '../notebook/cell.ts';
import { notebookPieces } from '../notebook/pieces.ts';
import { maybeOnnx, onnxTexts } from './onnx-text.ts';
import type { Remark, TextPiece } from './piece.ts';
import { safetensorsHeader, safetensorsTexts } from './safetensors-text.ts';
import { windowsOf } from './windows.ts';

const HEAD = 1 << 16;
/** Notebooks and UTF-16 texts are held whole, so they have a bound. */
const WHOLE = 1 << 26;
/** How much of the two ends of a binary file is looked at. */
export const BINARY_ENDS = 1 << 23;

/**
 * The texts of one file, told apart by its bytes: notebooks cell by cell, ONNX and safetensors by what people write into
 * them, other binary files at their two ends, and everything else as text, however long. What could not be looked at goes to `remark`.
 *
 * Errors: `data/unreadable` (the file became shorter, the disk failed), `run/cancelled`.
 */
export async function* piecesOf(
  source: ByteSource,
  remark: (remark: Remark) => void,
  { ends = BINARY_ENDS, signal }: { readonly ends?: number; readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<TextPiece> {
  const head = await source.read(0, Math.min(HEAD, source.size));
  const utf16 = utf16Of(head);
  if (utf16 !== undefined) {
    yield* utf16Text(source, utf16, remark);
    return;
  }
  const header = safetensorsHeader(head, source.size);
  if (header !== undefined) {
    yield* safetensorsTexts(source, header);
    return;
  }
  if (head.subarray(0, 8192).includes(0) || maybeOnnx(head)) {
    yield* binaryTexts(source, head, remark, ends, signal);
    return;
  }
  const notebook = await notebookOf(source, head, remark);
  if (notebook !== undefined) yield* notebookPieces(notebook.value, notebook.raw);
  else yield* windowsOf(source, { place: '', line: 1 }, {}, signal);
}

/** Whether bytes were not what they seemed. */
function isDamage(thrown: unknown): boolean {
  return thrown instanceof GlacisError && (thrown.code === 'data/unreadable' || thrown.code === 'scan/limit');
}

function utf16Of(head: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  return head[0] === 0xfe && head[1] === 0xff ? 'utf-16be' : undefined;
}

async function* utf16Text(
  source: ByteSource,
  encoding: 'utf-16le' | 'utf-16be',
  remark: (remark: Remark) => void,
): AsyncGenerator<TextPiece> {
  if (source.size > WHOLE) {
    remark({ kind: 'unread', reason: `UTF-16 text of ${source.size} bytes; expected at most ${WHOLE}` });
    return;
  }
  const text = new TextDecoder(encoding).decode(await source.read(0, source.size));
  yield { place: '', text, line: 1 };
}

async function* binaryTexts(
  source: ByteSource,
  head: Uint8Array,
  remark: (remark: Remark) => void,
  ends: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<TextPiece> {
  if (maybeOnnx(head)) {
    try {
      yield* onnxTexts(source, signal);
      return;
    } catch (thrown) {
      // No ONNX model after all, or a damaged one: its bytes are looked at as they are.
      if (!(thrown instanceof WireError) && !isDamage(thrown)) throw thrown;
    }
  }
  const piece = { place: '', strictOnly: true } as const;
  if (source.size <= 2 * ends) {
    yield* windowsOf(source, piece, {}, signal);
    return;
  }
  yield* windowsOf(source, piece, { end: ends }, signal);
  yield* windowsOf(source, piece, { start: source.size - ends }, signal);
  remark({
    kind: 'left',
    reason: `binary; only the first and the last ${ends >> 20} MiB were looked at`,
  });
}

/** The file as a notebook, where it seems to be one; a seeming notebook that does not parse is remarked on. */
async function notebookOf(
  source: ByteSource,
  head: Uint8Array,
  remark: (remark: Remark) => void,
): Promise<{ readonly value: { readonly [key: string]: Json }; readonly raw: string } | undefined> {
  const begin = Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1');
  if (!/^(?:\xef\xbb\xbf)?\s{0,64}\{/.test(begin)) return undefined;
  const length = Math.min(4096, source.size);
  const end = Buffer.from(await source.read(source.size - length, length)).toString('latin1');
  // Keys are sorted in most notebooks, so that the cells come first and the format's number last.
  const seems =
    /"nbformat"/.test(begin + end) || (/^\W{0,64}"cells"/.test(begin) && /"cell_type"/.test(begin));
  if (!seems) return undefined;
  const unread = (why: string) =>
    remark({ kind: 'unread', reason: `seems to be a notebook, but ${why}; looked at as plain text` });
  if (source.size > WHOLE) {
    unread(`has ${source.size} bytes, more than ${WHOLE}`);
    return undefined;
  }
  const raw = new TextDecoder().decode(await source.read(0, source.size));
  try {
    const value = JSON.parse(raw) as Json;
    if (isNotebook(value)) return { value, raw };
    unread('has no cells');
  } catch {
    unread('is not valid JSON');
  }
  return undefined;
}
