/** The element types of the Open Inference Protocol v2, and `BF16`, which Triton and KServe add. */
export const DATATYPES = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'BF16',
  'FP32',
  'FP64',
  'BYTES',
] as const;

/** An element type by the protocol's name. */
export type Datatype = (typeof DATATYPES)[number];

/**
 * How the elements of each type are held: exactly, row-major. `BOOL` is 0 and 1; `FP16` and `BF16` are their bits; an element of
 * `BYTES` is any string of bytes.
 */
export interface DataOf {
  readonly BOOL: Uint8Array;
  readonly UINT8: Uint8Array;
  readonly UINT16: Uint16Array;
  readonly UINT32: Uint32Array;
  readonly UINT64: BigUint64Array;
  readonly INT8: Int8Array;
  readonly INT16: Int16Array;
  readonly INT32: Int32Array;
  readonly INT64: BigInt64Array;
  readonly FP16: Uint16Array;
  readonly BF16: Uint16Array;
  readonly FP32: Float32Array;
  readonly FP64: Float64Array;
  readonly BYTES: readonly Uint8Array[];
}

/** The array that holds each type of fixed width. */
export const ARRAYS = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  BF16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const;

/** Whether `name` is one of {@link DATATYPES}. */
export function isDatatype(name: string): name is Datatype {
  return (DATATYPES as readonly string[]).includes(name);
}

/** Whether the type is a real floating-point type. */
export function isFloatDatatype(datatype: Datatype): datatype is 'FP16' | 'BF16' | 'FP32' | 'FP64' {
  return datatype === 'FP16' || datatype === 'BF16' || datatype === 'FP32' || datatype === 'FP64';
}

/** Whether JSON cannot carry the type: the protocol has no JSON form of 16-bit floats. */
export function isBinaryOnly(datatype: Datatype): datatype is 'FP16' | 'BF16' {
  return datatype === 'FP16' || datatype === 'BF16';
}
