import { GlacisError } from '../../core/error.ts';
import { byteLength, type DType } from '../dtype.ts';
import { elementCount, numbersOf, stridesOf, type Tensor } from '../tensor.ts';

/** Sizes in bytes of the element types that are moved whole; strings move as list entries, sub-byte types not at all. */
function itemSize(dtype: DType): number | undefined {
  const bytes = byteLength(dtype, 8) / 8;
  return Number.isInteger(bytes) ? bytes : undefined;
}

/**
 * A tensor put together from elements of others: element `i` is element `index[i]` of `sources[source[i]]`. Bytes are
 * copied as they are, so every type stays exact. `undefined` for sub-byte types.
 */
export function assemble(
  dims: readonly number[],
  sources: readonly Tensor[],
  source: ArrayLike<number>,
  index: ArrayLike<number>,
): Tensor | undefined {
  const { dtype } = sources[0]!;
  const n = elementCount(dims);
  if (dtype === 'string') {
    const strings = Array.from({ length: n }, (_, i) => sources[source[i]!]!.strings![index[i]!]!);
    return { dtype, dims: [...dims], data: new Uint8Array(0), strings };
  }
  const size = itemSize(dtype);
  if (size === undefined) return undefined;
  for (const t of sources) {
    const expected = elementCount(t.dims) * size;
    if (t.data.byteLength !== expected) {
      throw new GlacisError(
        'model/invalid',
        `tensor: expected ${expected} bytes for ${dtype}[${t.dims.join(', ')}], got ${t.data.byteLength}`,
      );
    }
  }
  const data = new Uint8Array(n * size);
  for (let i = 0; i < n; i++) {
    const from = index[i]! * size;
    const bytes = sources[source[i]!]!.data;
    for (let k = 0; k < size; k++) data[i * size + k] = bytes[from + k]!;
  }
  return { dtype, dims: [...dims], data };
}

/** {@link assemble} from one tensor. */
export function take(tensor: Tensor, dims: readonly number[], index: ArrayLike<number>): Tensor | undefined {
  return assemble(dims, [tensor], new Uint8Array(index.length), index);
}

/** The same bytes under other sizes. */
export function withDims(tensor: Tensor, dims: readonly number[]): Tensor {
  return { ...tensor, dims: [...dims] };
}

/** For each element of a tensor of `dims`, row-major: `offset + Σ position·stride`. */
export function stridedIndices(dims: readonly number[], strides: readonly number[], offset = 0): Int32Array {
  const n = elementCount(dims);
  const out = new Int32Array(n);
  const at = new Array<number>(dims.length).fill(0);
  let sum = offset;
  for (let i = 0; i < n; i++) {
    out[i] = sum;
    for (let d = dims.length - 1; d >= 0; d--) {
      sum += strides[d]!;
      if (++at[d]! < dims[d]!) break;
      sum -= strides[d]! * dims[d]!;
      at[d] = 0;
    }
  }
  return out;
}

/** For each element of `to`, the element of `from` that NumPy broadcasting puts there. */
export function broadcastIndices(from: readonly number[], to: readonly number[]): Int32Array {
  const strides = stridesOf(from);
  const lead = to.length - from.length;
  return stridedIndices(
    to,
    to.map((_, i) => (i < lead || from[i - lead] === 1 ? 0 : strides[i - lead]!)),
  );
}

/** The elements of a bool or integer tensor, exact; `undefined` for other types. */
export function integersOf(tensor: Tensor): bigint[] | undefined {
  if (tensor.dtype !== 'bool' && !/^u?int(8|16|32|64)$/.test(tensor.dtype)) return undefined;
  if (tensor.dtype !== 'int64' && tensor.dtype !== 'uint64') return Array.from(numbersOf(tensor), BigInt);
  numbersOf(tensor); // Checks that the bytes match the sizes.
  const view = new DataView(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  const n = elementCount(tensor.dims);
  return Array.from({ length: n }, (_, i) =>
    tensor.dtype === 'int64' ? view.getBigInt64(8 * i, true) : view.getBigUint64(8 * i, true),
  );
}

/** An integer or bool tensor; what does not fit wraps around, as in C. */
export function integerTensor(dtype: DType, dims: readonly number[], values: readonly bigint[]): Tensor {
  if (dtype === 'bool')
    return { dtype, dims: [...dims], data: Uint8Array.from(values, (v) => (v === 0n ? 0 : 1)) };
  const size = itemSize(dtype)!;
  const data = new Uint8Array(values.length * size);
  const view = new DataView(data.buffer);
  values.forEach((v, i) => {
    if (size === 8) view.setBigUint64(8 * i, BigInt.asUintN(64, v), true);
    else {
      const bits = Number(BigInt.asUintN(8 * size, v));
      if (size === 1) view.setUint8(i, bits);
      else if (size === 2) view.setUint16(2 * i, bits, true);
      else view.setUint32(4 * i, bits, true);
    }
  });
  return { dtype, dims: [...dims], data };
}
