import { GlacisError } from '../../../core/error.ts';
import type { ByteSource } from '../../../data/byte-source.ts';
import type { WireReader } from '../../../onnx/wire.ts';
import { protoStream } from '../../scan/formats/proto-stream.ts';
import { DEFAULT_SCAN_LIMITS, newBudget } from '../../scan/limits.ts';
import type { TextPiece } from './piece.ts';

/** Fields of a message that hold text (`''`: named by the message alone) or messages with text. */
interface Message {
  readonly name: string;
  readonly texts: Readonly<Record<number, string>>;
  readonly messages?: Readonly<Record<number, () => Message>>;
}

const entry: Message = { name: 'metadata', texts: { 1: 'key', 2: 'value' } };
const attribute: Message = {
  name: 'attribute',
  texts: { 4: 'text', 9: 'text', 13: 'doc string' },
  messages: { 6: () => graph, 11: () => graph },
};
const node: Message = {
  name: 'node',
  texts: { 6: 'doc string' },
  messages: { 5: () => attribute, 9: () => entry },
};
const valueInfo: Message = { name: 'value', texts: { 3: 'doc string' }, messages: { 4: () => entry } };
const graph: Message = {
  name: 'graph',
  texts: { 2: 'name', 10: 'doc string' },
  messages: { 1: () => node, 11: () => valueInfo, 12: () => valueInfo, 13: () => valueInfo, 16: () => entry },
};
const functionProto: Message = {
  name: 'function',
  texts: { 8: 'doc string' },
  messages: { 7: () => node, 14: () => entry },
};
const model: Message = {
  name: 'model',
  texts: { 2: 'producer', 3: 'producer version', 4: 'domain', 6: 'doc string' },
  messages: { 7: () => graph, 14: () => entry, 25: () => functionProto },
};

/** Graphs inside of graphs; no exporter nests further, and what does is looked at as plain bytes. */
const DEEPEST = 64;
/** Messages up to here are read at once. */
const WHOLE = 1 << 20;
/** Texts past this many bytes are looked at up to here; strings that long are tensors in disguise. */
const LONGEST = 1 << 22;

/**
 * The texts of an ONNX model that people write into it: documentation, metadata, text attributes. Tensors are passed over, so that a
 * model of 2 GiB takes no memory. Field numbers as in onnx.proto. Errors, after what came before them: `data/unreadable` where the bytes are
 * no protobuf message, `run/cancelled`.
 */
export async function* onnxTexts(source: ByteSource, signal?: AbortSignal): AsyncGenerator<TextPiece> {
  const budget = newBudget(DEFAULT_SCAN_LIMITS, () => performance.now(), signal);
  const stream = protoStream(source, 'onnx', budget);
  const open: {
    readonly start: number;
    readonly end: number;
    readonly message: Message;
    readonly depth: number;
  }[] = [{ start: 0, end: source.size, message: model, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { message, depth } = next;
    for await (const field of stream.fields(next.start, next.end)) {
      const { start, end, wire } = field;
      const text = message.texts[field.field];
      const inner = message.messages?.[field.field]?.();
      if (wire !== 2) continue;
      if (text !== undefined) {
        const bytes = await source.read(start, Math.min(LONGEST, end - start));
        if (bytes.length > 0) yield { place: placeOf(message, text), text: Buffer.from(bytes).toString() };
      } else if (inner !== undefined && end - start > WHOLE) {
        requireDepth(depth);
        open.push({ start, end, message: inner, depth: depth + 1 });
      } else if (inner !== undefined) yield* textsIn(await stream.message(field), inner, depth);
    }
  }
}

/** The texts of a message that is in memory. */
function* textsIn(root: WireReader, kind: Message, rootDepth: number): Generator<TextPiece> {
  const open = [{ reader: root, message: kind }];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const { reader, message } = top;
    if (!reader.next()) {
      open.pop();
      continue;
    }
    const text = message.texts[reader.field];
    const inner = message.messages?.[reader.field]?.();
    if (text !== undefined) {
      const bytes = reader.bytes();
      if (bytes.length > 0) yield { place: placeOf(message, text), text: Buffer.from(bytes).toString() };
    } else if (inner !== undefined) {
      requireDepth(rootDepth + open.length);
      open.push({ reader: reader.message(), message: inner });
    }
  }
}

const placeOf = ({ name }: Message, text: string) => (name === 'model' ? text : `${name}, ${text}`);

function requireDepth(depth: number): void {
  if (depth >= DEEPEST)
    throw new GlacisError('data/unreadable', `onnx: expected at most ${DEEPEST} levels, got more`);
}

/** Whether the first bytes may be an ONNX model's: its IR version as field 1, and a known field after it. */
export function maybeOnnx(head: Uint8Array): boolean {
  if (head[0] !== 0x08 || head[1]! > 0x20) return false;
  return [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72].includes(head[2] ?? 0);
}
