import { type FixtureMember, zip } from '../container/zip.fixture.ts';
import { bytes, call, name, op, pickle, text } from '../pickle/pickle.fixture.ts';

/** A tensor of float32 as a checkpoint's pickle describes it. */
export interface FixtureTensor {
  readonly key: string;
  /** Elements of its storage. */
  readonly elements: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset?: number;
}

const tuple = (...items: readonly Uint8Array[]) => bytes(op('MARK'), ...items, op('TUPLE'));
const int = (value: number) => op('BININT', value);

/** `_rebuild_tensor_v2(storage, offset, shape, strides, False, OrderedDict())`. */
export function tensor({ key, elements, shape, strides, offset = 0 }: FixtureTensor): Uint8Array {
  const id = tuple(text('storage'), name('torch', 'FloatStorage'), text(key), text('cpu'), int(elements));
  return bytes(
    name('torch._utils', '_rebuild_tensor_v2'),
    tuple(
      bytes(id, op('BINPERSID')),
      int(offset),
      tuple(...shape.map(int)),
      tuple(...strides.map(int)),
      op('NEWFALSE'),
      call('collections', 'OrderedDict'),
    ),
    op('REDUCE'),
  );
}

/** A dictionary's items, each a key and opcodes for the value. */
export function dict(items: readonly (readonly [key: string, value: Uint8Array])[]): Uint8Array {
  return bytes(
    op('EMPTY_DICT'),
    op('MARK'),
    ...items.flatMap(([key, value]) => [text(key), value]),
    op('SETITEMS'),
  );
}

export function floats(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

/** A checkpoint as PyTorch has written it since 1.6. */
export function torchZip(
  root: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>>,
  more: readonly FixtureMember[] = [],
) {
  return zip([
    { name: 'model/data.pkl', content: pickle(root) },
    { name: 'model/byteorder', content: 'little' },
    ...Object.entries(storages).map(([key, content]) => ({ name: `model/data/${key}`, content })),
    { name: 'model/version', content: '3\n' },
    ...more,
  ]);
}

/** A checkpoint as PyTorch wrote it before 1.6: five pickles, then each storage after its number of elements. */
export function legacyTorch(
  root: Uint8Array,
  storages: readonly (readonly [key: string, content: Uint8Array, elements?: number])[],
  magic: Uint8Array = op(
    'LONG1',
    new Uint8Array([0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]),
  ),
): Uint8Array {
  const old = (...ops: readonly Uint8Array[]) => bytes(op('PROTO', 2), ...ops, op('STOP'));
  const keys = storages.map(([key]) => op('BINUNICODE', key));
  return bytes(
    old(magic),
    old(op('BININT2', 1001)),
    old(dict([['little_endian', op('NEWTRUE')]])),
    pickle(root),
    old(op('EMPTY_LIST'), op('MARK'), ...keys, op('APPENDS')),
    ...storages.flatMap(([, content, elements = content.length / 4]) => {
      const count = Buffer.alloc(8);
      count.writeBigInt64LE(BigInt(elements));
      return [new Uint8Array(count), content];
    }),
  );
}
