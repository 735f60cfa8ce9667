/** A message of an object header: its type and its bytes. */
export type Message = readonly [type: number, body: Buffer];

const u = (bytes: number, value: number): Buffer => {
  const out = Buffer.alloc(bytes);
  out.writeUIntLE(value, 0, Math.min(6, bytes));
  return out;
};
export const address = (value: number | undefined): Buffer =>
  value === undefined ? Buffer.alloc(8, 0xff) : u(8, value);
const pad8 = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
const ascii = (text: string) => Buffer.from(text, 'latin1');

/** A dataspace of one value. */
const SCALAR = Buffer.from([2, 0, 0, 0]);

/** An attribute with a text of fixed length; version 3, or version 1 as old files have it. */
export function textAttribute(name: string, text: string, version: 1 | 3 = 3): Message {
  const [nameBytes, value] = [ascii(`${name}\0`), Buffer.from(text)];
  const type = Buffer.concat([Buffer.from([0x13, 0, 0, 0]), u(4, value.length)]);
  const sizes = [u(2, nameBytes.length), u(2, type.length), u(2, version === 1 ? 8 : SCALAR.length)];
  if (version === 3)
    return [0x0c, Buffer.concat([Buffer.from([3, 0]), ...sizes, u(1, 0), nameBytes, type, SCALAR, value])];
  const space = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
  return [0x0c, Buffer.concat([Buffer.from([1, 0]), ...sizes, pad8(nameBytes), type, space, value])];
}

/** An attribute whose text is object `index` of the global heap at `heap`. */
export function heapAttribute(name: string, length: number, heap: number, index = 1): Message {
  const nameBytes = ascii(`${name}\0`);
  const type = Buffer.concat([
    Buffer.from([0x19, 1, 0, 0]),
    u(4, 16),
    Buffer.from([0x10, 0, 0, 0]),
    u(4, 1),
    u(4, 0),
  ]);
  const value = Buffer.concat([u(4, length), address(heap), u(4, index)]);
  return [
    0x0c,
    Buffer.concat([
      Buffer.from([3, 0]),
      u(2, nameBytes.length),
      u(2, type.length),
      u(2, 4),
      u(1, 0),
      nameBytes,
      type,
      SCALAR,
      value,
    ]),
  ];
}

/** A global heap with one text. */
export function globalHeap(text: string): Buffer {
  const value = pad8(Buffer.from(text));
  const object = Buffer.concat([u(2, 1), u(2, 1), u(4, 0), u(8, Buffer.byteLength(text)), value]);
  return Buffer.concat([ascii('GCOL'), u(4, 1), u(8, 16 + object.length), object]);
}

/** A link to an object in this file, or into another one. */
export function link(name: string, to: number | string): Message {
  const head = [Buffer.from([1, typeof to === 'number' ? 0 : 8])];
  const named = [u(1, name.length), ascii(name)];
  if (typeof to === 'number') return [0x06, Buffer.concat([...head, ...named, address(to)])];
  const target = Buffer.concat([u(1, 0), ascii(`${to}\0/a\0`)]);
  return [0x06, Buffer.concat([...head, u(1, 64), ...named, u(2, target.length), target])];
}

/** An object header of version 2. */
export function header(messages: readonly Message[]): Buffer {
  const body = Buffer.concat(
    messages.map(([type, bytes]) => Buffer.concat([u(1, type), u(2, bytes.length), u(1, 0), bytes])),
  );
  return Buffer.concat([ascii('OHDR'), Buffer.from([2, 2]), u(4, body.length), body, u(4, 0)]);
}

/** An object header of version 1. */
export function oldHeader(messages: readonly Message[]): Buffer {
  const body = Buffer.concat(
    messages.map(([type, bytes]) =>
      Buffer.concat([u(2, type), u(2, pad8(bytes).length), u(4, 0), pad8(bytes)]),
    ),
  );
  return Buffer.concat([
    Buffer.from([1, 0]),
    u(2, messages.length),
    u(4, 1),
    u(4, body.length),
    u(4, 0),
    body,
  ]);
}

/** Where the parts of a file begin: behind its superblock. */
export const PARTS_AT = 96;

/** A file of parts one after the other; the root group's header is the part that begins at `root`. */
export function hdf5File(parts: readonly Buffer[], root = PARTS_AT, version: 0 | 2 = 2): Buffer {
  const size = PARTS_AT + parts.reduce((sum, part) => sum + part.length, 0);
  const signature = Buffer.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]);
  const head =
    version === 2
      ? [Buffer.from([2, 8, 8, 0]), address(0), address(undefined), address(size), address(root)]
      : [
          Buffer.from([0, 0, 0, 0, 0, 8, 8, 0]),
          u(4, 0),
          u(4, 0),
          address(0),
          address(undefined),
          address(size),
          address(undefined),
          u(8, 0),
          address(root),
        ];
  const superblock = Buffer.concat([signature, ...head]);
  return Buffer.concat([superblock, Buffer.alloc(PARTS_AT - superblock.length), ...parts]);
}

/** A group of the old kind with one member: the message, and the tree, table and heap that it needs, to stand at `at`. */
export function oldGroup(at: number, member: number): { readonly message: Message; readonly parts: Buffer } {
  const tree = Buffer.concat([
    ascii('TREE'),
    Buffer.from([0, 0]),
    u(2, 1),
    address(undefined),
    address(undefined),
    u(8, 0),
    address(at + 48),
  ]);
  const table = Buffer.concat([
    ascii('SNOD'),
    Buffer.from([1, 0]),
    u(2, 1),
    u(8, 0),
    address(member),
    Buffer.alloc(24),
  ]);
  return {
    message: [0x11, Buffer.concat([address(at), address(undefined)])],
    parts: Buffer.concat([tree, Buffer.alloc(48 - tree.length), table]),
  };
}

/** External storage: the message, with the heap that holds the file's name to stand at `at`. */
export function externalStorage(
  at: number,
  name: string,
): { readonly message: Message; readonly parts: Buffer } {
  const names = pad8(ascii(`${name}\0`));
  const heap = Buffer.concat([ascii('HEAP'), u(4, 0), u(8, names.length), u(8, 0), address(at + 32), names]);
  return {
    message: [
      0x07,
      Buffer.concat([Buffer.from([1, 0, 0, 0]), u(2, 1), u(2, 1), address(at), u(8, 0), u(8, 0), u(8, 10)]),
    ],
    parts: heap,
  };
}
