import type { DType } from '../onnx/dtype.ts';

/** Typed arrays that the runtime takes and gives. */
export type HostData =
  | Float32Array
  | Float64Array
  | Int32Array
  | BigInt64Array
  | BigUint64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array;

/**
 * A tensor in memory, row-major. `bool` is a Uint8Array of 0 and 1; `float16` is a Uint16Array of bits; `string` is a Uint8Array of texts with
 * their lengths (see `text-tensor.ts`).
 */
export interface HostTensor {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly data: HostData;
}

/** A float32 tensor that takes over `data`. */
export function f32(data: Float32Array, dims: readonly number[]): HostTensor {
  return { dtype: 'float32', dims, data };
}

/** An int64 tensor from integers. */
export function i64(values: ArrayLike<number>, dims: readonly number[] = [values.length]): HostTensor {
  return {
    dtype: 'int64',
    dims,
    data: BigInt64Array.from({ length: values.length }, (_, i) => BigInt(values[i]!)),
  };
}
