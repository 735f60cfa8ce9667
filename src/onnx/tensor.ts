import { GlacisError } from '../core/error.ts';
import { byteLength, type DType } from './dtype.ts';

/** Where a tensor's bytes lie outside the model file (ONNX external data). */
export interface ExternalData {
  /** Relative to the model's folder; attacker-controlled until {@link import('./external-data.ts')} has checked it. */
  readonly location: string;
  /** First byte in that file. */
  readonly offset: number;
  /** Bytes; `undefined` means "as many as dims and dtype need". */
  readonly length: number | undefined;
}

/**
 * A constant tensor: row-major, little-endian bytes exactly as in ONNX `raw_data`. `data` is a view wherever possible, so
 * that a model of many GB is held once. Treat as frozen.
 */
export interface Tensor {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly data: Uint8Array;
  /** Elements of a string tensor (UTF-8); `data` is empty then. */
  readonly strings?: readonly string[];
  /** Set when the bytes are still outside; `data` is empty then. */
  readonly external?: ExternalData;
}

/** Number of elements of `dims`; 1 for a scalar. */
export function elementCount(dims: readonly number[]): number {
  let n = 1;
  for (const d of dims) n *= d;
  return n;
}

/** Row-major strides in elements. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length);
  let s = 1;
  for (let i = dims.length - 1; i >= 0; i--) {
    strides[i] = s;
    s *= dims[i]!;
  }
  return strides;
}

type Numbers = ArrayLike<number>;

/** A float32 tensor that takes over (does not copy) a Float32Array. */
export function float32Tensor(dims: readonly number[], values: Float32Array | readonly number[]): Tensor {
  const array = values instanceof Float32Array ? values : Float32Array.from(values);
  return checked('float32', dims, array);
}

/** An int64 tensor from safe integers (±2^63 saturate). */
export function int64Tensor(dims: readonly number[], values: Numbers): Tensor {
  const array = new BigInt64Array(values.length);
  for (let i = 0; i < values.length; i++) array[i] = toInt64(values[i]!);
  return checked('int64', dims, array);
}

/** A bool tensor, one byte an element. */
export function boolTensor(dims: readonly number[], values: readonly boolean[]): Tensor {
  return checked(
    'bool',
    dims,
    Uint8Array.from(values, (v) => (v ? 1 : 0)),
  );
}

/** Saturating conversion of a number to int64. */
export function toInt64(value: number): bigint {
  if (value >= 2 ** 63) return 2n ** 63n - 1n;
  if (value <= -(2 ** 63)) return -(2n ** 63n);
  return BigInt(Math.trunc(value));
}

function checked(
  dtype: DType,
  dims: readonly number[],
  array: ArrayBufferView & { readonly length: number },
): Tensor {
  if (array.length !== elementCount(dims)) {
    throw new GlacisError(
      'model/invalid',
      `tensor: expected ${elementCount(dims)} elements for [${dims.join(', ')}], got ${array.length}`,
    );
  }
  return { dtype, dims: [...dims], data: new Uint8Array(array.buffer, array.byteOffset, array.byteLength) };
}

/**
 * A tensor of `dtype` from numbers (rounded to that type; 16-bit floats to nearest even; int64 saturates; bool is `!= 0`).
 * Errors: `model/invalid` on a wrong count or for string and complex types.
 */
export function tensorFrom(dtype: DType, dims: readonly number[], values: Numbers): Tensor {
  const n = values.length;
  switch (dtype) {
    case 'float32':
      return checked(dtype, dims, Float32Array.from(values));
    case 'float64':
      return checked(dtype, dims, Float64Array.from(values));
    case 'float16':
    case 'bfloat16': {
      const bits = new Uint16Array(n);
      for (let i = 0; i < n; i++)
        bits[i] = dtype === 'float16' ? toFloat16Bits(values[i]!) : toBfloat16Bits(values[i]!);
      return checked(dtype, dims, bits);
    }
    case 'int64':
      return int64Tensor(dims, values);
    case 'uint64': {
      const array = new BigUint64Array(n);
      for (let i = 0; i < n; i++) array[i] = BigInt(Math.trunc(values[i]!));
      return checked(dtype, dims, array);
    }
    case 'int32':
      return checked(dtype, dims, Int32Array.from(values));
    case 'uint32':
      return checked(dtype, dims, Uint32Array.from(values));
    case 'int16':
      return checked(dtype, dims, Int16Array.from(values));
    case 'uint16':
      return checked(dtype, dims, Uint16Array.from(values));
    case 'int8':
      return checked(dtype, dims, Int8Array.from(values));
    case 'uint8':
      return checked(dtype, dims, Uint8Array.from(values));
    case 'bool':
      return checked(
        dtype,
        dims,
        Uint8Array.from(values, (v) => (v !== 0 ? 1 : 0)),
      );
    default:
      throw new GlacisError('model/invalid', `tensor: cannot make a ${dtype} tensor from numbers`);
  }
}

/**
 * The elements as numbers (a typed-array view where the type and alignment allow it, otherwise a copy; 64-bit integers become
 * float64, exact up to 2^53). Errors: `model/invalid` for string, complex and sub-byte types, for bytes that do not
 * match dims, and for data that are still external.
 */
export function numbersOf(
  tensor: Tensor,
):
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array {
  const { dtype, data, dims } = tensor;
  const n = elementCount(dims);
  if (tensor.external)
    throw new GlacisError(
      'model/invalid',
      `tensor: its data are in the external file ${tensor.external.location}; load them first`,
    );
  if (data.byteLength !== byteLength(dtype, n)) {
    throw new GlacisError(
      'model/invalid',
      `tensor: expected ${byteLength(dtype, n)} bytes for ${dtype}[${dims.join(', ')}], got ${data.byteLength}`,
    );
  }
  const view = <T>(make: new (buffer: ArrayBuffer, offset: number, length: number) => T, size: number): T => {
    // Not slice(): on a Buffer that is another view, not a copy.
    const aligned = data.byteOffset % size === 0 ? data : new Uint8Array(data);
    return new make(aligned.buffer as ArrayBuffer, aligned.byteOffset, n);
  };
  switch (dtype) {
    case 'float32':
      return view(Float32Array, 4);
    case 'float64':
      return view(Float64Array, 8);
    case 'int32':
      return view(Int32Array, 4);
    case 'uint32':
      return view(Uint32Array, 4);
    case 'int16':
      return view(Int16Array, 2);
    case 'uint16':
      return view(Uint16Array, 2);
    case 'int8':
      return view(Int8Array, 1);
    case 'uint8':
    case 'bool':
      return view(Uint8Array, 1);
    case 'int64':
      return Float64Array.from(view(BigInt64Array, 8), Number);
    case 'uint64':
      return Float64Array.from(view(BigUint64Array, 8), Number);
    case 'float16':
      return Float32Array.from(view(Uint16Array, 2), fromFloat16Bits);
    case 'bfloat16':
      return Float32Array.from(view(Uint16Array, 2), fromBfloat16Bits);
    default:
      throw new GlacisError('model/invalid', `tensor: elements of type ${dtype} cannot be read as numbers`);
  }
}

const scratch = new DataView(new ArrayBuffer(4));

/** IEEE 754 binary16 bits, round to nearest even. */
export function toFloat16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const a = Math.abs(value);
  if (a >= 65520) return sign | 0x7c00;
  if (a < 2 ** -25) return sign;
  const exponent = Math.max(Math.floor(Math.log2(a)), -14);
  const e = a < 2 ** exponent ? exponent - 1 : a >= 2 ** (exponent + 1) ? exponent + 1 : exponent;
  const scale = Math.max(e, -14);
  const units = roundHalfEven(a / 2 ** (scale - 10));
  return sign | (scale === -14 ? units : units + ((scale + 14) << 10));
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest > 0.5 || (rest === 0.5 && floor % 2 === 1)) return floor + 1;
  return floor;
}

/** The value of IEEE 754 binary16 bits. */
export function fromFloat16Bits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** bfloat16 bits, round to nearest even. */
export function toBfloat16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The value of bfloat16 bits. */
export function fromBfloat16Bits(bits: number): number {
  scratch.setUint32(0, (bits << 16) >>> 0);
  return scratch.getFloat32(0);
}
