import { int64, type RuntimeCase } from '../runtime-check.ts';

const reductions = ['none', 'add', 'mul', 'max', 'min'].flatMap((reduction): RuntimeCase[] => [
  {
    name: `ScatterElements, ${reduction}`,
    inputs: [{ dims: [4, 3], low: 0.5, high: 2 }, { dims: [2, 3] }],
    make: (b, [x, u]) =>
      b.node(
        'ScatterElements',
        [x!, int64(b, reduction === 'none' ? [0, 3, 2, 1, 1, -1] : [0, 1, 2, 0, 1, -1], [2, 3]), u!],
        { axis: 0, reduction },
      ),
  },
  {
    name: `ScatterND, ${reduction}`,
    inputs: [{ dims: [4, 3], low: 0.5, high: 2 }, { dims: [3, 3] }],
    make: (b, [x, u]) =>
      b.node('ScatterND', [x!, int64(b, reduction === 'none' ? [0, 2, 1] : [0, 2, -4], [3, 1]), u!], {
        reduction,
      }),
  },
]);

/** Reading and writing at indices. */
export const SCATTER_CASES: readonly RuntimeCase[] = [
  ...reductions,
  {
    name: 'ScatterElements, mul with zeros among the updates',
    inputs: [
      { dims: [4], low: 0.5, high: 2 },
      { dims: [6], data: [0, 2, 0, 0, 3, 0.5] },
    ],
    make: (b, [x, u]) =>
      b.node('ScatterElements', [x!, int64(b, [0, 0, 1, 1, 2, 2]), u!], { reduction: 'mul' }),
  },
  {
    name: 'Gather',
    inputs: [{ dims: [3, 4, 2] }],
    make: (b, [x]) => b.node('Gather', [x!, int64(b, [0, -1, 3, 0], [2, 2])], { axis: 1 }),
  },
  {
    name: 'Gather by a scalar',
    inputs: [{ dims: [3, 4, 2] }],
    make: (b, [x]) => b.node('Gather', [x!, int64(b, [-1], [])], { axis: 1 }),
  },
  {
    name: 'Gather by one index of rank 2',
    inputs: [{ dims: [3, 4, 2] }],
    make: (b, [x]) => b.node('Gather', [x!, int64(b, [1], [1, 1])], { axis: -1 }),
  },
  {
    name: 'Gather by no index',
    inputs: [{ dims: [3, 4] }],
    make: (b, [x]) => b.node('Gather', [x!, int64(b, [])]),
  },
  {
    name: 'Gather from a table, a sample at a time',
    inputs: [{ dims: [4, 3] }],
    make: (b, [x]) => b.node('Gather', [x!, int64(b, [0, 1, 1, 3, -1, 0], [2, 3])]),
    perSample: [0],
  },
  {
    name: 'GatherElements',
    inputs: [{ dims: [4, 3] }],
    make: (b, [x]) => b.node('GatherElements', [x!, int64(b, [0, -1, 2, 0, 1, 1], [2, 3])], { axis: 0 }),
  },
  {
    name: 'GatherND',
    inputs: [{ dims: [4, 3, 2] }],
    make: (b, [x]) => b.node('GatherND', [x!, int64(b, [0, 1, -1, 2, 0, 1], [3, 2])]),
  },
  {
    name: 'GatherND, one batch axis',
    inputs: [{ dims: [2, 3, 2] }],
    make: (b, [x]) => b.node('GatherND', [x!, int64(b, [0, 2, 2, 0, 1, -1], [2, 3, 1])], { batch_dims: 1 }),
  },
  {
    name: 'GatherND, two batch axes',
    inputs: [{ dims: [2, 3, 4] }],
    make: (b, [x]) => b.node('GatherND', [x!, int64(b, [0, 2, 2, 0, 1, -1], [2, 3, 1])], { batch_dims: 2 }),
  },
  {
    name: 'TopK',
    inputs: [{ dims: [4, 5] }],
    make: (b, [x]) => b.nodes('TopK', [x!, int64(b, [2])], { axis: -1 }, { outputs: 2 })[0]!,
  },
  {
    name: 'TopK, smallest along axis 0',
    inputs: [{ dims: [4, 5] }],
    make: (b, [x]) => b.nodes('TopK', [x!, int64(b, [3])], { axis: 0, largest: 0 }, { outputs: 2 })[0]!,
  },
  {
    name: 'OneHot values',
    inputs: [{ dims: [2] }],
    make: (b, [x]) => b.node('OneHot', [int64(b, [1, 0, -1, 7]), int64(b, [4], []), x!]),
    dtype: 'float32',
  },
];
