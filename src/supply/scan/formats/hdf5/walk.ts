import type { ByteSource } from '../../../../data/byte-source.ts';
import type { Budget } from '../../limits.ts';
import { readAttribute, type TextAttribute } from './attribute.ts';
import { type HeaderMessage, headerMessages, MESSAGE } from './messages.ts';
import { type Cursor, type Hdf5Reader, openHdf5 } from './reader.ts';

/** What of an HDF5 file is looked at. */
export type Hdf5Part =
  | { readonly kind: 'attribute'; readonly attribute: TextAttribute }
  /** A link into another file. */
  | { readonly kind: 'external-link'; readonly target: string }
  /** A dataset whose bytes lie in other files. */
  | { readonly kind: 'external-data'; readonly target: string }
  /** A part that is stored in a way that is not read here. */
  | { readonly kind: 'unread'; readonly what: string };

/**
 * Every object that can be reached from the root group: its attributes with texts, and what leads out of the file. Each object is
 * visited once, so links in circles end. Source: HDF5 File Format Specification 3.0.
 */
export async function* hdf5Parts(
  source: ByteSource,
  where: string,
  budget: Budget,
): AsyncGenerator<Hdf5Part> {
  const reader = await openHdf5(source, where, budget);
  const seen = new Set<number>();
  const open = [reader.root];
  for (let address = open.pop(); address !== undefined; address = open.pop()) {
    if (seen.has(address)) continue;
    seen.add(address);
    budget.step();
    for await (const message of headerMessages(reader, address, budget))
      yield* readMessage(message, reader, open, budget);
  }
}

async function* readMessage(
  { type, flags, body }: HeaderMessage,
  reader: Hdf5Reader,
  open: number[],
  budget: Budget,
): AsyncGenerator<Hdf5Part> {
  if ((flags & 2) !== 0 && (type === MESSAGE.attribute || type === MESSAGE.link)) {
    yield { kind: 'unread', what: 'a message that is shared' };
    return;
  }
  switch (type) {
    case MESSAGE.attribute: {
      const attribute = await readAttribute(body, reader, budget);
      if (attribute === 'shared') yield { kind: 'unread', what: 'an attribute whose type is shared' };
      else if (attribute !== undefined) yield { kind: 'attribute', attribute };
      return;
    }
    case MESSAGE.link:
      yield* readLink(body, open);
      return;
    case MESSAGE.symbolTable:
      await readSymbolTable(body, reader, open, budget);
      return;
    case MESSAGE.linkInfo: {
      body.u8();
      body.bytes((body.u8() & 1) === 0 ? 0 : 8);
      if (body.address() !== undefined) yield { kind: 'unread', what: 'a group whose links lie in a heap' };
      return;
    }
    case MESSAGE.attributeInfo: {
      body.u8();
      body.bytes((body.u8() & 1) === 0 ? 0 : 2);
      if (body.address() !== undefined) yield { kind: 'unread', what: 'attributes that lie in a heap' };
      return;
    }
    case MESSAGE.externalFiles:
      yield { kind: 'external-data', target: await externalFile(body, reader) };
      return;
    case MESSAGE.layout: {
      const [version, layout] = [body.u8(), body.u8()];
      if (version >= 4 && layout === 3) yield { kind: 'external-data', target: 'a virtual dataset' };
      return;
    }
  }
}

const HARD = 0;
const EXTERNAL = 64;

function* readLink(body: Cursor, open: number[]): Generator<Hdf5Part> {
  body.u8();
  const flags = body.u8();
  const type = (flags & 8) === 0 ? HARD : body.u8();
  body.bytes(((flags & 4) === 0 ? 0 : 8) + ((flags & 16) === 0 ? 0 : 1));
  const name = Buffer.from(body.bytes(body.number(1 << (flags & 3)))).toString();
  if (type === HARD) {
    const address = body.address();
    if (address !== undefined) open.push(address);
  } else if (type === EXTERNAL) {
    body.u16();
    body.u8();
    yield { kind: 'external-link', target: `${name} → ${body.text()}` };
  }
}

/** The first file of a list of external files. */
async function externalFile(body: Cursor, reader: Hdf5Reader): Promise<string> {
  body.bytes(8);
  const heap = body.address();
  const offset = body.length();
  if (heap === undefined) return '';
  const names = await heapData(reader, heap);
  names?.bytes(Math.min(offset, names.left));
  return names?.text() ?? '';
}

/** The data of a local heap. */
async function heapData(reader: Hdf5Reader, heap: number): Promise<Cursor | undefined> {
  const head = await reader.at(heap, 32).catch(() => undefined);
  if (head === undefined || Buffer.from(head.bytes(4)).toString('latin1') !== 'HEAP') return undefined;
  head.u32();
  const size = head.length();
  head.length();
  const address = head.address();
  return address === undefined ? undefined : reader.at(address, Math.min(size, 1 << 24));
}

/** The members of a group of the old kind: a B-tree of tables. */
async function readSymbolTable(
  body: Cursor,
  reader: Hdf5Reader,
  open: number[],
  budget: Budget,
): Promise<void> {
  const root = body.address();
  const nodes = root === undefined ? [] : [root];
  const seen = new Set<number>();
  for (let address = nodes.pop(); address !== undefined; address = nodes.pop()) {
    if (seen.has(address)) continue;
    seen.add(address);
    budget.step();
    const start = await reader.at(address, 8);
    const signature = Buffer.from(start.bytes(4)).toString('latin1');
    if (signature === 'TREE') {
      start.u16();
      await readTreeNode(await reader.at(address + 8, entryBytes(reader, start.u16())), nodes);
    } else if (signature === 'SNOD') {
      start.u16();
      const count = start.u16();
      const entries = await reader.at(address + 8, count * (24 + 2 * reader.offsetBytes));
      for (let i = 0; i < count; i++) {
        budget.step();
        entries.address();
        const object = entries.address();
        if (object !== undefined) open.push(object);
        entries.bytes(24);
      }
    }
  }
}

/** Bytes of a B-tree node after its head: two siblings, and a key and a child for each entry. */
const entryBytes = (reader: Hdf5Reader, count: number) =>
  2 * reader.offsetBytes + count * (reader.offsetBytes + reader.lengthBytes);

async function readTreeNode(node: Cursor, children: number[]): Promise<void> {
  node.address();
  node.address();
  while (node.left > 0) {
    node.length();
    const child = node.address();
    if (child !== undefined) children.push(child);
  }
}
