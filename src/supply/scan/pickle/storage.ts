import {
  type GlobalName,
  isGlobal,
  itemsOf,
  kindOf,
  type Made,
  type Persistent,
  type Value,
} from './value.ts';

/** A tensor storage of a PyTorch checkpoint, as its persistent id describes it. Everything is attacker-controlled. */
export interface Storage {
  /** The name of its bytes: the file `data/<key>` of an archive, or the key in a legacy file. */
  readonly key: string;
  /** The element type, e.g. `float32`; `bytes` for untyped storages. */
  readonly type: string;
  readonly bytes: number;
  /** Bytes of an element. */
  readonly itemSize: number;
}

/** Element types by the name of their storage class, with their sizes in bytes. */
const STORAGES: Readonly<Record<string, readonly [type: string, itemSize: number]>> = {
  BFloat16Storage: ['bfloat16', 2],
  BoolStorage: ['bool', 1],
  ByteStorage: ['uint8', 1],
  CharStorage: ['int8', 1],
  ComplexDoubleStorage: ['complex128', 16],
  ComplexFloatStorage: ['complex64', 8],
  DoubleStorage: ['float64', 8],
  FloatStorage: ['float32', 4],
  HalfStorage: ['float16', 2],
  IntStorage: ['int32', 4],
  LongStorage: ['int64', 8],
  ShortStorage: ['int16', 2],
  QInt32Storage: ['qint32', 4],
  QInt8Storage: ['qint8', 1],
  QUInt8Storage: ['quint8', 1],
  QUInt4x2Storage: ['quint4x2', 1],
  QUInt2x4Storage: ['quint2x4', 1],
  UntypedStorage: ['bytes', 1],
  _UntypedStorage: ['bytes', 1],
};

/** Sizes in bytes of the types that tensors over untyped storages name. */
const ITEM_SIZES: Readonly<Record<string, number>> = {
  ...Object.fromEntries(Object.values(STORAGES)),
  uint16: 2,
  uint32: 4,
  uint64: 8,
  float8_e4m3fn: 1,
  float8_e4m3fnuz: 1,
  float8_e5m2: 1,
  float8_e5m2fnuz: 1,
  float8_e8m0fnu: 1,
  complex32: 4,
};

const MODULES: ReadonlySet<string> = new Set(['torch', 'torch.cuda', 'torch.storage']);

/**
 * The storage that a persistent id names: `('storage', type, key, location, elements)`, with a view as sixth item in legacy
 * files; `'source'` for `('module', class, file, source)`, the source text that legacy files keep of a class; `undefined` for
 * everything else. Source: torch/serialization.py, `persistent_id`.
 */
export function readStorage(id: Value): Storage | 'source' | undefined {
  const items = itemsOf(id);
  if (items === undefined) return undefined;
  const [what, type, key, location, elements] = items;
  if (what === 'module' && items.length === 4 && isGlobal(type)) return 'source';
  if (what !== 'storage' || (items.length !== 5 && items.length !== 6) || !isGlobal(type)) return undefined;
  const known = MODULES.has(type.module) ? STORAGES[type.name] : undefined;
  if (!known || typeof key !== 'string' || typeof location !== 'string' || !isCount(elements))
    return undefined;
  return { key, type: known[0], bytes: elements * known[1], itemSize: known[1] };
}

/** A tensor over a storage, in elements. */
export interface View {
  readonly storage: Storage;
  /** The type of its elements. */
  readonly type: string;
  readonly itemSize: number;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/**
 * What `_rebuild_tensor(storage, offset, shape, strides, …)` describes; for version 3 the seventh argument is the type.
 * A text says what is wrong with it; `undefined` stands for one whose storage is a checkpoint of its own.
 */
export function readView(args: readonly Value[], version: 1 | 2 | 3): View | string | undefined {
  const [held, offset, size, stride] = args;
  if (isLoaded(held)) return undefined;
  const storage = kindOf(held) === 'persistent' ? readStorage((held as Persistent).id) : undefined;
  if (storage === undefined || storage === 'source') return 'its storage is none of the checkpoint';
  const [shape, strides] = [counts(size), counts(stride)];
  if (!isCount(offset) || !shape || !strides || shape.length !== strides.length)
    return 'offset, shape and strides are not whole numbers from 0';
  const named = version === 3 ? dtypeOf(args[6]) : storage.type;
  const itemSize = version === 3 ? ITEM_SIZES[named ?? ''] : storage.itemSize;
  if (named === undefined || itemSize === undefined) return 'its type is unknown';
  const last = shape.some((n) => n === 0)
    ? -1
    : shape.reduce((sum, n, i) => sum + (n - 1) * strides[i]!, offset);
  if (!((last + 1) * itemSize <= storage.bytes))
    return `its last element ends at byte ${(last + 1) * itemSize} of a storage of ${storage.bytes}`;
  return { storage, type: named, itemSize, offset, shape, strides };
}

/** Plain pickles of tensors hold each storage as a whole checkpoint in bytes. */
function isLoaded(value: Value | undefined): boolean {
  const by = kindOf(value) === 'made' ? (value as Made).by : undefined;
  return isGlobal(by) && by.module === 'torch.storage' && by.name === '_load_from_bytes';
}

function dtypeOf(value: Value | undefined): string | undefined {
  return isGlobal(value) && (value as GlobalName).module === 'torch' ? value.name : undefined;
}

function counts(value: Value | undefined): readonly number[] | undefined {
  // torch.Size pickles to a call with the tuple as its argument.
  const items =
    itemsOf(value) ??
    (kindOf(value) === 'made' ? itemsOf(itemsOf((value as { args: Value }).args)?.[0]) : undefined);
  return items?.every(isCount) ? items : undefined;
}

function isCount(value: Value | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
