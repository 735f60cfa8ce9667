import { byteLength, type DType, dtypeFromCode } from './dtype.ts';
import { quoted } from './problems.ts';
import { bounded, type ReadContext } from './read-context.ts';
import { type ExternalData, elementCount, numbersOf, type Tensor } from './tensor.ts';
import type { WireReader } from './wire.ts';

/** What a broken tensor is read as, so that reading goes on and finds the other problems. */
const BROKEN: Tensor = { dtype: 'uint8', dims: [0], data: new Uint8Array(0) };

/** The little-endian bytes of a typed list: joined where the writer split it. */
interface List {
  parts: WireReader[];
  count: number;
}

/**
 * Reads a `TensorProto`. Bytes in `raw_data`, and packed floats and doubles, stay views on the file; other typed lists are
 * decoded. A tensor whose bytes do not match its dims is a problem noted in `context`.
 */
export function readTensor(
  r: WireReader,
  context: ReadContext,
  where: () => string,
): { readonly name: string; readonly tensor: Tensor } {
  bounded(context, 'tensors', 1);
  let name = '';
  let code = 0;
  let raw: Uint8Array | undefined;
  let outside = false;
  let segment = false;
  const dims: number[] = [];
  const strings: string[] = [];
  let external: Map<string, string> | undefined;
  let lists: Map<number, List> | undefined;
  while (r.next()) {
    switch (r.field) {
      case 1:
        if (dims.length + r.countNumbers('varint') > 4096) {
          context.problems.add(
            `${where()}: expected at most ${context.limits.rank} dimensions, got thousands`,
          );
          return { name, tensor: BROKEN };
        }
        r.pushInts(dims);
        break;
      case 2:
        code = r.int();
        break;
      case 3:
        segment = true;
        break;
      case 4:
      case 5:
      case 7:
      case 10:
      case 11:
        lists ??= new Map();
        addPart(lists, r);
        break;
      case 6:
        bounded(context, 'list', 1);
        strings.push(r.text());
        break;
      case 8:
        name = r.text();
        break;
      case 9:
        raw = r.bytes();
        break;
      case 13: {
        bounded(context, 'values', 1);
        const [key, value] = readEntry(r.message());
        external ??= new Map();
        external.set(key, value);
        break;
      }
      case 14:
        outside = r.int() === 1;
        break;
    }
  }
  const bad = (text: string): { name: string; tensor: Tensor } => {
    context.problems.add(`${where()} ${quoted(name)}: ${text}`);
    return { name, tensor: BROKEN };
  };
  const dtype = dtypeFromCode(code);
  if (dtype === undefined)
    return bad(code === 0 ? 'has no element type' : `expected an element type from 1 to 26, got ${code}`);
  const wrongDims = problemWithDims(dims, context.limits.rank);
  if (wrongDims !== undefined) return bad(wrongDims);
  if (segment)
    return bad(
      'is a segment of a larger tensor, which ONNX Runtime does not load; save the model again in one piece',
    );
  const count = elementCount(dims);
  if (outside) {
    const data = externalData(external ?? new Map());
    if (typeof data === 'string') return bad(data);
    if (dtype === 'string') return bad('strings cannot be external data');
    return { name, tensor: { dtype, dims, data: new Uint8Array(0), external: data } };
  }
  const typed = (lists?.size ?? 0) + (strings.length > 0 ? 1 : 0);
  if (typed + (raw !== undefined && raw.length > 0 ? 1 : 0) > 1)
    return bad('holds its elements twice, in more than one data field');
  if (dtype === 'string') {
    if (strings.length !== count)
      return bad(`expected ${count} strings for [${dims.join(', ')}], got ${strings.length}`);
    return { name, tensor: { dtype, dims, data: new Uint8Array(0), strings } };
  }
  if (strings.length > 0) return bad(`expected ${dtype} elements, got strings`);
  const expected = byteLength(dtype, count);
  const data =
    lists !== undefined && lists.size > 0 ? typedBytes(dtype, count, lists) : (raw ?? new Uint8Array(0));
  if (typeof data === 'string') return bad(data);
  if (data.length !== expected)
    return bad(`expected ${expected} bytes for ${dtype}[${dims.join(', ')}], got ${data.length}`);
  return { name, tensor: { dtype, dims, data } };
}

function addPart(lists: Map<number, List>, r: WireReader): void {
  const width = r.field === 4 ? 4 : r.field === 10 ? 8 : 'varint';
  const count = r.countNumbers(width);
  if (count === 0) return;
  const list = lists.get(r.field) ?? { parts: [], count: 0 };
  lists.set(r.field, list);
  list.parts.push(r.current());
  list.count += count;
}

/** Why `dims` cannot be a tensor's dims, or `undefined`. */
export function problemWithDims(dims: readonly number[], rank: number): string | undefined {
  if (dims.length > rank) return `expected at most ${rank} dimensions, got ${dims.length}`;
  let product = 1;
  for (const d of dims) {
    if (!Number.isSafeInteger(d) || d < 0) return `expected dimensions from 0, got ${d}`;
    // A zero hides nothing: the others must still be possible sizes.
    product *= Math.max(d, 1);
    if (product > Number.MAX_SAFE_INTEGER)
      return `expected fewer than 2^53 elements, got dimensions [${dims.join(', ')}]`;
  }
  return undefined;
}

/** Reads a `StringStringEntryProto`. */
export function readEntry(r: WireReader): readonly [string, string] {
  let key = '';
  let value = '';
  while (r.next()) {
    if (r.field === 1) key = r.text();
    else if (r.field === 2) value = r.text();
  }
  return [key, value];
}

function externalData(entries: ReadonlyMap<string, string>): ExternalData | string {
  const location = entries.get('location');
  if (location === undefined || location === '') return 'is external data without a location';
  const number = (key: string): number | string | undefined => {
    const text = entries.get(key);
    if (text === undefined) return undefined;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    return Number.isSafeInteger(value)
      ? value
      : `expected a whole number as the external ${key}, got ${quoted(text)}`;
  };
  const offset = number('offset') ?? 0;
  const length = number('length');
  if (typeof offset === 'string') return offset;
  if (typeof length === 'string') return length;
  return { location, offset, length };
}

/** The field that holds a type's elements when they are not raw: `onnx.proto`, comments at `TensorProto`. */
function listField(dtype: DType): number {
  if (dtype === 'float32' || dtype === 'complex64') return 4;
  if (dtype === 'float64' || dtype === 'complex128') return 10;
  if (dtype === 'int64') return 7;
  return dtype === 'uint32' || dtype === 'uint64' ? 11 : 5;
}

function typedBytes(dtype: DType, count: number, lists: ReadonlyMap<number, List>): Uint8Array | string {
  const field = listField(dtype);
  const list = lists.get(field);
  if (list === undefined) return `holds its ${dtype} elements in a data field of another type`;
  const bytes = byteLength(dtype, count);
  const width = field === 4 ? 4 : field === 10 ? 8 : undefined;
  if (width !== undefined) {
    if (list.count !== bytes / width)
      return `expected ${bytes / width} numbers for its dimensions, got ${list.count}`;
    const [first, ...rest] = list.parts;
    if (rest.length === 0) return first!.fixedBytes(width);
    const joined = new Uint8Array(bytes);
    let at = 0;
    for (const part of list.parts) {
      const view = part.fixedBytes(width);
      joined.set(view, at);
      at += view.length;
    }
    return joined;
  }
  // Types below one byte are packed into bytes first, and one number of the list holds one such byte.
  const size = bytes < count ? 1 : bytes / Math.max(count, 1);
  const numbers = bytes / size;
  if (list.count !== numbers) return `expected ${numbers} numbers for its dimensions, got ${list.count}`;
  const data = new Uint8Array(bytes);
  const view = new DataView(data.buffer);
  let at = 0;
  for (const part of list.parts) {
    part.eachVarint((low, high) => {
      if (size === 1) data[at] = low;
      else if (size === 2) view.setUint16(at, low, true);
      else view.setUint32(at, low, true);
      if (size === 8) view.setUint32(at + 4, high, true);
      at += size;
    });
  }
  return data;
}

/** Reads a `SparseTensorProto` and makes it dense. Linear and coordinate indices, which must be sorted, unique and in range. */
export function readSparseTensor(
  r: WireReader,
  context: ReadContext,
  where: () => string,
): { readonly name: string; readonly tensor: Tensor } {
  let values: { readonly name: string; readonly tensor: Tensor } = { name: '', tensor: BROKEN };
  let indices: Tensor = BROKEN;
  const dims: number[] = [];
  const before = context.problems.count;
  while (r.next()) {
    if (r.field === 1) values = readTensor(r.message(), context, where);
    else if (r.field === 2) indices = readTensor(r.message(), context, () => `${where()} indices`).tensor;
    else if (r.field === 3 && dims.length + r.countNumbers('varint') <= 4096) r.pushInts(dims);
  }
  const { name } = values;
  const bad = (text: string): { name: string; tensor: Tensor } => {
    context.problems.add(`${where()} ${quoted(name)}: ${text}`);
    return { name, tensor: BROKEN };
  };
  if (context.problems.count > before) return { name, tensor: BROKEN };
  const wrongDims = dims.length === 0 ? 'has no dimensions' : problemWithDims(dims, context.limits.rank);
  if (wrongDims !== undefined) return bad(wrongDims);
  const { dtype } = values.tensor;
  const size = byteLength(dtype, 1);
  if (dtype === 'string' || byteLength(dtype, 2) !== 2 * size || values.tensor.external || indices.external) {
    return bad(
      `sparse ${dtype} or external values are not supported; save the model with dense initializers`,
    );
  }
  const total = elementCount(dims);
  context.denseBytes += byteLength(dtype, total);
  if (context.denseBytes > context.limits.denseBytes) {
    return bad(
      `expected sparse initializers of at most ${context.limits.denseBytes} bytes once dense, got [${dims.join(', ')}]`,
    );
  }
  const n = elementCount(values.tensor.dims);
  const rank = dims.length;
  const linear = indices.dims.length === 1 && indices.dims[0] === n;
  if (
    indices.dtype !== 'int64' ||
    (!linear && !(indices.dims.length === 2 && indices.dims[0] === n && indices.dims[1] === rank))
  ) {
    return bad(
      `expected int64 indices of shape [${n}] or [${n}, ${rank}], got ${indices.dtype}[${indices.dims.join(', ')}]`,
    );
  }
  const index = numbersOf(indices);
  const data = new Uint8Array(byteLength(dtype, total));
  let last = -1;
  for (let i = 0; i < n; i++) {
    let at = linear ? index[i]! : 0;
    if (!linear) {
      for (let k = 0; k < rank; k++) {
        const x = index[i * rank + k]!;
        at = x >= 0 && x < dims[k]! ? at * dims[k]! + x : Number.NaN;
      }
    }
    if (!(at > last && at < total))
      return bad(`expected sorted indices inside [${dims.join(', ')}], got a wrong one at position ${i}`);
    last = at;
    data.set(values.tensor.data.subarray(i * size, (i + 1) * size), at * size);
  }
  return { name, tensor: { dtype, dims, data } };
}
