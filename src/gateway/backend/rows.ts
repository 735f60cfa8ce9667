import { isUtf8 } from 'node:buffer';
import { dataToBytes } from '../../oip/binary-data.ts';
import { ARRAYS, type DataOf, type Datatype } from '../../oip/datatype.ts';
import type { Tensor } from '../../oip/tensor.ts';
import { elementCount, fromBfloat16Bits, toBfloat16Bits } from '../../onnx/tensor.ts';
import type { HostData, HostTensor } from '../../runtime/array.ts';
import { Refused } from '../refusal.ts';
import type { Port } from './ports.ts';

/** Rows `[from, from + rows)` of a caller's tensor. */
export interface Rows {
  readonly tensor: Tensor;
  readonly from: number;
  readonly rows: number;
}

const DTYPES: Readonly<Record<Datatype, HostTensor['dtype']>> = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  BF16: 'float32',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
};

/** Errors: `Refused` `mismatched` for a `BYTES` tensor that the runtime cannot take: one caller's must not spoil a batch of several. */
export function checkTexts(inputs: readonly Tensor[]): void {
  for (const { name, datatype, data } of inputs)
    if (datatype === 'BYTES')
      for (const text of data as DataOf['BYTES'])
        if (!isUtf8(text) || text.includes(0))
          throw new Refused('mismatched', `input ${name}: expected UTF-8 without zero bytes`);
}

/** Gives a buffer of at least so many bytes; what was in it does not matter. */
export type TakeBuffer = (bytes: number) => ArrayBufferLike;

/**
 * The pieces one after another in one array, filled up to `total` rows with copies of the last. All have the same shape behind the first axis. A single piece that is
 * enough by itself is not copied.
 */
export function gathered(pieces: readonly Rows[], total: number, take: TakeBuffer): HostTensor {
  const { datatype, shape } = pieces[0]!.tensor;
  const dims = [total, ...shape.slice(1)];
  if (datatype === 'BYTES') return { dtype: 'string', dims, data: texts(pieces, total) };
  const width = widthOf(pieces[0]!.tensor);
  const parts = pieces.map(({ tensor, from, rows }) =>
    (tensor.data as HostData).subarray(from * width, (from + rows) * width),
  );
  const only = parts.length === 1 && parts[0]!.length === total * width ? parts[0] : undefined;
  const data = only ?? filled(datatype, parts, width, total, take);
  return { dtype: DTYPES[datatype], dims, data: datatype === 'BF16' ? widened(data as Uint16Array) : data };
}

function filled(
  datatype: Exclude<Datatype, 'BYTES'>,
  parts: readonly HostData[],
  width: number,
  total: number,
  take: TakeBuffer,
): HostData {
  const make = ARRAYS[datatype];
  const length = width * total;
  const buffer = take(length * make.BYTES_PER_ELEMENT) as ArrayBuffer;
  const data: HostData = new make(buffer, 0, length);
  let at = 0;
  for (const part of parts) {
    data.set(part as never, at);
    at += part.length;
  }
  for (; at < length; at += width) data.copyWithin(at, at - width, at);
  return data;
}

/** A request's tensor as a whole, where nothing counts samples. Not a copy. */
export function hosted(tensor: Tensor): HostTensor {
  const { datatype, shape } = tensor;
  const dtype = DTYPES[datatype];
  if (tensor.datatype === 'BYTES') return { dtype, dims: shape, data: dataToBytes(tensor) };
  const data = tensor.data as HostData;
  return { dtype, dims: shape, data: datatype === 'BF16' ? widened(data as Uint16Array) : data };
}

/** Rows `[from, from + rows)` of what the runtime gave, in an array of their own unless that is all of it. */
export function scattered(port: Port, { dims, data }: HostTensor, from: number, rows: number): Tensor {
  const { name } = port;
  const total = dims[0]!;
  const shape = [rows, ...dims.slice(1)];
  const elements = elementCount(dims);
  const width = total === 0 ? 0 : elements / total;
  if (port.datatype === 'BYTES') {
    const all = splitTexts(data as Uint8Array, elements);
    return { name, datatype: 'BYTES', shape, data: all.slice(from * width, (from + rows) * width) };
  }
  const whole = rows === total;
  const part = whole ? data : (data.slice(from * width, (from + rows) * width) as HostData);
  return {
    name,
    datatype: port.datatype,
    shape,
    data: port.widened ? Uint16Array.from(part as Float32Array, toBfloat16Bits) : part,
  } as Tensor;
}

/** All of what the runtime gave. */
export function unhosted(port: Port, tensor: HostTensor): Tensor {
  const { dims } = tensor;
  if (dims.length > 0) return scattered(port, tensor, 0, dims[0]!);
  return { ...scattered(port, { ...tensor, dims: [1] }, 0, 1), shape: [] };
}

/** Rows `[from, from + rows)` of a tensor, as views. */
export function rowsOf(tensor: Tensor, from: number, rows: number): Tensor {
  const width = widthOf(tensor);
  const shape = [rows, ...tensor.shape.slice(1)];
  const [start, end] = [from * width, (from + rows) * width];
  const data =
    tensor.datatype === 'BYTES'
      ? tensor.data.slice(start, end)
      : (tensor.data as HostData).subarray(start, end);
  return { ...tensor, shape, data } as Tensor;
}

/** Tensors of one type below each other. Throws where their rows differ in shape: the model has answered parts of a request in different forms. */
export function joinedRows(parts: readonly Tensor[]): Tensor {
  const [first] = parts;
  const width = first!.shape.slice(1).join();
  if (parts.some(({ shape }) => shape.slice(1).join() !== width))
    throw new Error(`output ${first!.name}: expected rows of one shape`);
  const shape = [parts.reduce((sum, part) => sum + part.shape[0]!, 0), ...first!.shape.slice(1)];
  if (first!.datatype === 'BYTES')
    return { ...first!, shape, data: parts.flatMap(({ data }) => data as readonly Uint8Array[]) };
  return { ...first!, shape, data: joinedData(parts.map(({ data }) => data as HostData)) } as Tensor;
}

/** Arrays of one kind one after another. */
export function joinedData<T extends HostData>(parts: readonly T[]): T {
  const make = parts[0]!.constructor as new (length: number) => T;
  const all = new make(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part as never, at);
    at += part.length;
  }
  return all;
}

function widthOf({ shape, data }: Tensor): number {
  return data.length / shape[0]!;
}

function widened(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, fromBfloat16Bits);
}

function texts(pieces: readonly Rows[], total: number): Uint8Array {
  const elements: Uint8Array[] = [];
  for (const { tensor, from, rows } of pieces) {
    const width = widthOf(tensor);
    elements.push(...(tensor.data as DataOf['BYTES']).slice(from * width, (from + rows) * width));
  }
  const width = widthOf(pieces[0]!.tensor);
  while (elements.length < width * total) elements.push(elements[elements.length - width]!);
  return dataToBytes({ name: '', datatype: 'BYTES', shape: [elements.length], data: elements });
}

function splitTexts(bytes: Uint8Array, count: number): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const elements: Uint8Array[] = [];
  for (let i = 0, at = 0; i < count; i++) {
    const end = at + 4 + view.getUint32(at, true);
    elements.push(bytes.slice(at + 4, end));
    at = end;
  }
  return elements;
}
