import fc from 'fast-check';
import { type DType, isFloat } from '../../src/onnx/dtype.ts';
import { elementCount, type Tensor, tensorFrom } from '../../src/onnx/tensor.ts';

/** Up to three small axes, zero-size ones and scalars included. */
export const anyDims = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });

/** One to three axes of 1 to 4. */
export const solidDims = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 });

/** Values that every type holds; quarters for floats. */
export function valuesFor(dtype: DType, count: number, low = -6, high = 6): fc.Arbitrary<number[]> {
  const least = dtype.startsWith('u') || dtype === 'bool' ? 0 : low;
  const whole = fc.integer({ min: least, max: dtype === 'bool' ? 1 : high });
  const one = isFloat(dtype) ? fc.integer({ min: 4 * least, max: 4 * high }).map((v) => v / 4) : whole;
  return fc.array(one, { minLength: count, maxLength: count });
}

/** A tensor of these sizes. */
export function tensorOf(
  dtype: DType,
  dims: readonly number[],
  low?: number,
  high?: number,
): fc.Arbitrary<Tensor> {
  return valuesFor(dtype, elementCount(dims), low, high).map((values) => tensorFrom(dtype, dims, values));
}

/** `count` shapes that broadcast with each other. */
export function broadcastable(count: number): fc.Arbitrary<number[][]> {
  return anyDims.chain((dims) =>
    fc.tuple(
      ...Array.from({ length: count }, () =>
        fc
          .tuple(
            fc.integer({ min: 0, max: dims.length }),
            fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
          )
          .map(([cut, ones]) => dims.map((d, i) => (ones[i] ? 1 : d)).slice(cut)),
      ),
    ),
  );
}
