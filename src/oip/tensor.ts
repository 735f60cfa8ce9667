import { GlacisError } from '../core/error.ts';
import { fromBfloat16Bits, fromFloat16Bits, toBfloat16Bits, toFloat16Bits } from '../onnx/tensor.ts';
import type { DataOf, Datatype } from './datatype.ts';
import type { Parameters } from './json.ts';
import { elementsOf } from './shape.ts';

/** A named tensor of one type. */
export interface TensorOf<D extends Datatype> {
  readonly name: string;
  readonly datatype: D;
  /** Whole numbers from 0. */
  readonly shape: readonly number[];
  /** Row-major, as many elements as `shape` says. */
  readonly data: DataOf[D];
  /** What a message said beside; without `binary_data_size`, which follows from the data. */
  readonly parameters?: Parameters;
}

/** A named tensor of any type; `datatype` tells which array `data` is. */
export type Tensor = { readonly [D in Datatype]: TensorOf<D> }[Datatype];

/** Errors: `data/mismatch` where a tensor's data does not have as many elements as its shape says. */
export function checkTensor({ name, shape, data }: Tensor): void {
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0) || elementsOf(shape) !== data.length)
    throw new GlacisError(
      'data/mismatch',
      `tensor ${name}: expected ${elementsOf(shape)} elements for [${shape.join(', ')}], got ${data.length}`,
    );
}

/**
 * The elements as float32: the array itself for `FP32`, exact for 16-bit floats and integers up to 2²⁴, rounded otherwise (beyond
 * the range: ±Infinity); `BOOL` gives 0 and 1. Errors: `data/mismatch` for `BYTES`.
 */
export function floatsOf(tensor: Tensor): Float32Array {
  switch (tensor.datatype) {
    case 'FP32':
      return tensor.data;
    case 'FP16':
      return Float32Array.from(tensor.data, fromFloat16Bits);
    case 'BF16':
      return Float32Array.from(tensor.data, fromBfloat16Bits);
    case 'INT64':
    case 'UINT64':
      return Float32Array.from<bigint>(tensor.data, Number);
    case 'BYTES':
      throw new GlacisError('data/mismatch', `tensor ${tensor.name}: expected numbers, got BYTES (text)`);
    default:
      return Float32Array.from(tensor.data);
  }
}

/**
 * A tensor of a float type from float32 values (taken over for `FP32`, rounded to nearest even for 16 bits).
 * Errors: `data/mismatch` for a finite value that the type cannot hold.
 */
export function floatTensor(
  name: string,
  datatype: 'FP16' | 'BF16' | 'FP32' | 'FP64',
  shape: readonly number[],
  values: Float32Array,
): Tensor {
  switch (datatype) {
    case 'FP32':
      return { name, datatype, shape, data: values };
    case 'FP64':
      return { name, datatype, shape, data: Float64Array.from(values) };
    case 'FP16':
    case 'BF16': {
      const [to, from] =
        datatype === 'FP16' ? [toFloat16Bits, fromFloat16Bits] : [toBfloat16Bits, fromBfloat16Bits];
      const data = Uint16Array.from(values, to);
      const bad = data.findIndex((bits, i) => Number.isFinite(values[i]) && !Number.isFinite(from(bits)));
      if (bad >= 0)
        throw new GlacisError(
          'data/mismatch',
          `tensor ${name}: element ${bad} is beyond what ${datatype} holds`,
        );
      return { name, datatype, shape, data };
    }
  }
}
