import type { CaseInput, GradientCase } from '../check-gradient.ts';

const axes = (...values: number[]): CaseInput => ({
  dims: [values.length],
  dtype: 'int64',
  values,
  constant: true,
});
const variants = (op: string, input: CaseInput, kind: 'linear' | 'smooth'): GradientCase[] => [
  { op, inputs: [input, axes(1)], kind },
  { op, inputs: [input, axes(0, -1)], attributes: { keepdims: 0 }, kind },
  { op, inputs: [input], title: 'all axes', attributes: { keepdims: 0 }, kind },
  { op, inputs: [input, axes()], title: 'no axes', attributes: { noop_with_empty_axes: 1 }, kind },
];
const x: CaseInput = { dims: [2, 3, 2] };
const axis: CaseInput = { dims: [], dtype: 'int64', values: [1], constant: true };
const positive: CaseInput = { dims: [2, 3, 2], range: [0.3, 2] };

export const CASES: readonly GradientCase[] = [
  ...variants('ReduceSum', x, 'linear'),
  { op: 'ReduceSum', inputs: [{ dims: [0, 3] }, axes(0)], kind: 'linear' },
  ...variants('ReduceMean', x, 'smooth'),
  ...[
    'ReduceMax',
    'ReduceMin',
    'ReduceProd',
    'ReduceL1',
    'ReduceL2',
    'ReduceSumSquare',
    'ReduceLogSumExp',
  ].flatMap((op) => variants(op, x, 'smooth')),
  ...variants('ReduceLogSum', positive, 'smooth'),
  {
    op: 'ReduceMax',
    inputs: [{ dims: [2, 3], values: [1, 3, 3, -1, -2, -3] }, axes(1)],
    title: 'ties',
    expected: [[0, 0.5, 0.5, 1, 0, 0]],
    kind: 'smooth',
  },
  {
    op: 'ReduceMin',
    inputs: [{ dims: [3], values: [1, 1, 1] }],
    title: 'ties',
    expected: [[1 / 3, 1 / 3, 1 / 3]],
    kind: 'smooth',
  },
  {
    op: 'ReduceProd',
    inputs: [{ dims: [3, 3], values: [0, 2, 3, 0, 0, 3, 1, 2, 3] }, axes(1)],
    title: 'zeros',
    expected: [[6, 0, 0, 0, 0, 0, 6, 3, 2]],
    kind: 'smooth',
  },
  {
    op: 'ReduceL2',
    inputs: [{ dims: [2], values: [0, 0] }],
    title: 'zero norm',
    expected: [[0, 0]],
    kind: 'smooth',
  },
  {
    op: 'ReduceLogSumExp',
    inputs: [{ dims: [3], values: [300, 299, -300] }],
    title: 'large values',
    expected: [[1 / (1 + Math.exp(-1)), 1 / (1 + Math.E), 0]],
    kind: 'smooth',
  },

  ...['Softmax', 'LogSoftmax'].flatMap((op): GradientCase[] => [
    { op, inputs: [x], kind: 'smooth' },
    { op, inputs: [x], attributes: { axis: 1 }, kind: 'smooth' },
    { op, inputs: [{ dims: [0, 3] }], kind: 'smooth' },
  ]),
  { op: 'Hardmax', inputs: [x], kind: 'stop' },
  {
    op: 'Hardmax',
    inputs: [{ dims: [2, 2], values: [0, 1, 2, 1] }],
    title: 'straight-through, where a cotangent of ones gives zero',
    options: { rounding: 'straight-through' },
    expected: [[0, 0, 0, 0]],
    kind: 'smooth',
  },
  ...[0, 1].flatMap((exclusive) =>
    [0, 1].flatMap((reverse): GradientCase[] => [
      { op: 'CumSum', inputs: [x, axis], attributes: { exclusive, reverse }, kind: 'linear' },
      { op: 'CumProd', inputs: [x, axis], attributes: { exclusive, reverse }, opset: 26, kind: 'smooth' },
      {
        op: 'CumProd',
        inputs: [{ dims: [3, 5], values: [2, 0, 3, -1, 2, 0, 2, 0, 1, 3, 1, 2, 3, 2, 0] }, axis],
        title: 'zeros',
        attributes: { exclusive, reverse },
        opset: 26,
        kind: 'smooth',
      },
    ]),
  ),
];
