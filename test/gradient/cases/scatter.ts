import type { CaseInput, GradientCase } from '../check-gradient.ts';

const at = (dims: readonly number[], values: readonly number[]): CaseInput => ({
  dims,
  dtype: 'int64',
  values,
  constant: true,
});
const linear = (
  op: string,
  inputs: readonly CaseInput[],
  more: Partial<GradientCase> = {},
): GradientCase => ({ op, inputs, kind: 'linear', ...more });
const table: CaseInput = { dims: [4, 3] };

/** With repeated indices, except for `none`, whose updates must not meet. */
const reductions = ['none', 'add', 'mul', 'max', 'min'].flatMap((reduction): GradientCase[] => {
  const kind = reduction === 'none' || reduction === 'add' ? 'linear' : 'smooth';
  const repeated = reduction !== 'none';
  return [
    {
      op: 'ScatterElements',
      inputs: [table, at([2, 3], repeated ? [0, 1, 2, 0, 1, -1] : [0, 3, 2, 1, 1, -1]), { dims: [2, 3] }],
      attributes: { axis: 0, reduction },
      title: reduction,
      kind,
    },
    {
      op: 'ScatterND',
      inputs: [table, at([3, 1], repeated ? [0, 2, -4] : [0, 2, 1]), { dims: [3, 3] }],
      attributes: { reduction },
      title: reduction,
      kind,
    },
  ];
});

/** Reading and writing at indices. */
export const CASES: readonly GradientCase[] = [
  ...reductions,
  linear('Gather', [{ dims: [3, 4, 2] }, at([2, 2], [0, -1, 3, 0])], { attributes: { axis: 1 } }),
  linear('Gather', [{ dims: [3, 4, 2] }, at([], [-1])], { attributes: { axis: 1 } }),
  linear('Gather', [{ dims: [3, 4, 2] }, at([1, 1], [1])], { attributes: { axis: -1 } }),
  linear('Gather', [table, at([0], [])]),
  linear('Gather', [table, at([2, 3], [0, 1, 1, 3, -1, 0])], { perSample: [0], title: 'per sample' }),
  linear('Gather', [table, { dims: [2, 2], dtype: 'int32', values: [0, 3, 3, -1] }], {
    title: 'indices as an input',
  }),
  linear('GatherElements', [table, at([2, 3], [0, -1, 2, 0, 1, 1])], { attributes: { axis: 0 } }),
  linear('GatherND', [{ dims: [4, 3, 2] }, at([3, 2], [0, 1, -1, 2, 0, 1])]),
  linear('GatherND', [{ dims: [2, 3, 2] }, at([2, 3, 1], [0, 2, 2, 0, 1, -1])], {
    attributes: { batch_dims: 1 },
  }),
  linear('GatherND', [{ dims: [2, 3, 4] }, at([2, 3, 1], [0, 2, 2, 0, 1, -1])], {
    attributes: { batch_dims: 2 },
  }),
  linear('OneHot', [at([4], [1, 0, -1, 7]), at([], [4]), { dims: [2] }]),
  {
    op: 'TopK',
    inputs: [{ dims: [2, 4], values: [1, 5, 3, 5, 7, 2, 2, 0] }, at([1], [2])],
    outputs: 2,
    kind: 'smooth',
    expected: [[0, 1, 0, 1, 1, 1, 0, 0]],
    title: 'ties go to the lower index',
  },
];
