import { type DType, isFloat } from '../dtype.ts';
import { dtypeAttribute } from '../shape/elementwise.ts';
import { numbersOf, type Tensor, tensorFrom } from '../tensor.ts';
import { integersOf, integerTensor, withDims } from './elements.ts';
import type { FoldRule } from './rule.ts';

const RANGES: Partial<Record<DType, readonly [low: number, high: number]>> = Object.fromEntries(
  [8, 16, 32, 64].flatMap((bits) => [
    [`int${bits}`, [-(2 ** (bits - 1)), 2 ** (bits - 1)]],
    [`uint${bits}`, [0, 2 ** bits]],
  ]),
);

/**
 * `tensor` as another numeric type: floats are cut towards zero, integers wrap, bool is `!= 0`. `undefined` for strings and
 * 8-bit floats, and for floats beyond the integer's range, where each runtime does something else.
 */
export function castTensor(tensor: Tensor, to: DType): Tensor | undefined {
  if (tensor.dtype === to) return withDims(tensor, tensor.dims);
  const integers = integersOf(tensor);
  const range = RANGES[to];
  if (integers) {
    if (to === 'bool' || range) return integerTensor(to, tensor.dims, integers);
    return isFloat(to) ? tensorFrom(to, tensor.dims, integers.map(Number)) : undefined;
  }
  if (!isFloat(tensor.dtype)) return undefined;
  const values = numbersOf(tensor);
  if (isFloat(to) || to === 'bool') return tensorFrom(to, tensor.dims, values);
  if (!range) return undefined;
  const whole = Array.from(values, Math.trunc);
  if (!whole.every((v) => v >= range[0] && v < range[1])) return undefined;
  return integerTensor(to, tensor.dims, whole.map(BigInt));
}

const one = (tensor: Tensor | undefined) => tensor && [tensor];

/** Changes of the element type. */
export const CAST_FOLDS: Readonly<Record<string, FoldRule>> = {
  Cast: (ctx) => one(castTensor(ctx.data[0]!, dtypeAttribute(ctx, 'to'))),
  CastLike: ({ data }) => one(castTensor(data[0]!, data[1]!.dtype)),
};
