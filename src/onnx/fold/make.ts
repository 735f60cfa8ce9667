import { isFloat, isInteger } from '../dtype.ts';
import { axisIn, contradiction } from '../shape/dims.ts';
import { dtypeAttribute } from '../shape/elementwise.ts';
import { elementCount, float32Tensor, int64Tensor, numbersOf, type Tensor, tensorFrom } from '../tensor.ts';
import { assemble, integersOf, integerTensor, take, withDims } from './elements.ts';
import type { FoldRule } from './rule.ts';

const strings = (dims: readonly number[], values: readonly string[]): Tensor => ({
  dtype: 'string',
  dims,
  data: new Uint8Array(0),
  strings: values,
});

const constant: FoldRule = ({ attrs }) => {
  if (attrs.has('value')) return [attrs.tensor('value')];
  if (attrs.has('value_int')) return [int64Tensor([], [attrs.int('value_int')])];
  if (attrs.has('value_ints'))
    return [int64Tensor([attrs.ints('value_ints').length], attrs.ints('value_ints'))];
  if (attrs.has('value_float')) return [float32Tensor([], [attrs.float('value_float')])];
  if (attrs.has('value_floats'))
    return [float32Tensor([attrs.floats('value_floats').length], attrs.floats('value_floats'))];
  if (attrs.has('value_string')) return [strings([], [attrs.string('value_string')])];
  if (attrs.has('value_strings'))
    return [strings([attrs.strings('value_strings').length], attrs.strings('value_strings'))];
  return undefined;
};

const constantOfShape: FoldRule = (ctx) => {
  const { attrs, dims } = ctx;
  const value = attrs.has('value') ? attrs.tensor('value') : float32Tensor([], [0]);
  if (elementCount(value.dims) !== 1)
    contradiction(ctx, 'a value of one element', `[${value.dims.join(', ')}]`);
  const filled = dims && take(withDims(value, []), dims, new Uint8Array(elementCount(dims)));
  return filled && [filled];
};

const range: FoldRule = ({ data, dims }) => {
  const start = data[0]!;
  const n = dims?.[0];
  if (n === undefined) return undefined;
  if (isInteger(start.dtype)) {
    const [from, step] = [integersOf(start)?.[0], integersOf(data[2]!)?.[0]];
    if (from === undefined || step === undefined) return undefined;
    return [
      integerTensor(
        start.dtype,
        [n],
        Array.from({ length: n }, (_, i) => from + BigInt(i) * step),
      ),
    ];
  }
  if (!isFloat(start.dtype)) return undefined;
  const [from, step] = [numbersOf(start)[0]!, numbersOf(data[2]!)[0]!];
  return [
    tensorFrom(
      start.dtype,
      [n],
      Float64Array.from({ length: n }, (_, i) => from + i * step),
    ),
  ];
};

/** `OneHot(indices, depth, [off, on])`: an index outside `[-depth, depth)` gives a row of off. */
const oneHot: FoldRule = (ctx) => {
  const { dims } = ctx;
  const [indices, values] = [ctx.data[0]!, ctx.data[2]!];
  if (!dims || elementCount(values.dims) !== 2) return undefined;
  const axis = axisIn(ctx, ctx.attrs.int('axis', -1), dims.length);
  const depth = dims[axis]!;
  const inner = elementCount(dims.slice(axis + 1));
  const hot = numbersOf(indices);
  const index = Uint8Array.from({ length: elementCount(dims) }, (_, i) => {
    const at = Math.floor(i / inner) % depth;
    const h = Math.trunc(hot[Math.floor(i / inner / depth) * inner + (i % inner)]!);
    return at === (h < 0 ? h + depth : h) ? 1 : 0;
  });
  const result = assemble(dims, [values], new Uint8Array(index.length), index);
  return result && [result];
};

const eyeLike: FoldRule = (ctx) => {
  const { dims } = ctx;
  const dtype = dtypeAttribute(ctx, 'dtype', ctx.data[0]!.dtype);
  if (!dims || !(isFloat(dtype) || isInteger(dtype) || dtype === 'bool') || /int[24]$/.test(dtype))
    return undefined;
  const k = ctx.attrs.int('k', 0);
  const columns = dims[1]!;
  return [
    tensorFrom(
      dtype,
      dims,
      Float64Array.from({ length: elementCount(dims) }, (_, i) =>
        (i % columns) - Math.floor(i / columns) === k ? 1 : 0,
      ),
    ),
  ];
};

/** Operators that make tensors. */
export const MAKE_FOLDS: Readonly<Record<string, FoldRule>> = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  EyeLike: eyeLike,
  OneHot: oneHot,
  Range: range,
};
