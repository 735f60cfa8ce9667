import type { ByteSource } from '../../../data/byte-source.ts';
import { WireError, WireReader } from '../../../onnx/wire.ts';
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

const DEEPEST = 16;
const LARGEST = 2 ** 31 - 1;
/** Texts past this many bytes are looked at up to here; strings that long are tensors in disguise. */
const LONGEST = 1 << 22;

/**
 * The texts of an ONNX model that people write into it: documentation, metadata, text attributes. Tensors are passed over.
 * Field numbers as in onnx.proto. Throws {@link WireError} where the bytes are no protobuf message, and yields what came before.
 */
export async function* onnxTexts(source: ByteSource): AsyncGenerator<TextPiece> {
  if (source.size > LARGEST) throw new WireError('a file past the 2 GiB of a protobuf message');
  const bytes = await source.read(0, source.size);
  const open: { readonly reader: WireReader; readonly message: Message; readonly place: string }[] = [
    { reader: new WireReader(bytes), message: model, place: '' },
  ];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const { reader, message, place } = top;
    if (!reader.next()) {
      open.pop();
      continue;
    }
    const text = message.texts[reader.field];
    const inner = message.messages?.[reader.field]?.();
    if (text !== undefined) {
      const content = Buffer.from(reader.bytes().subarray(0, LONGEST));
      if (content.length > 0)
        yield { place: place === '' ? text : `${place}, ${text}`, text: content.toString() };
    } else if (inner !== undefined && open.length < DEEPEST) {
      open.push({ reader: reader.message(), message: inner, place: inner.name });
    }
  }
}

/** Whether the first bytes may be an ONNX model's: its IR version as field 1, and a known field after it. */
export function maybeOnnx(head: Uint8Array): boolean {
  if (head[0] !== 0x08 || head[1]! > 0x20) return false;
  return [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72].includes(head[2] ?? 0);
}
