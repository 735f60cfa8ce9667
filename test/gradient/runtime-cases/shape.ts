import { boolTensor } from '../../../src/onnx/tensor.ts';
import { int64, type RuntimeCase } from '../runtime-check.ts';

const pads = ['constant', 'edge', 'reflect', 'wrap'].flatMap((mode) =>
  [
    [1, 2, 2, 3],
    [-1, 2, 1, -2],
    [0, 3, 0, 0],
  ].map(
    (list): RuntimeCase => ({
      name: `Pad ${mode} by ${list}`,
      inputs: [{ dims: [4, 5] }, ...(mode === 'constant' ? [{ dims: [] }] : [])],
      make: (b, [x, value]) => b.node('Pad', [x!, int64(b, list), value ?? null], { mode }),
      dtype: mode === 'constant' ? 'float64' : 'float32',
    }),
  ),
);

/** Operators that only move elements. */
export const SHAPE_CASES: readonly RuntimeCase[] = [
  ...pads,
  {
    name: 'Pad reflect on one axis',
    inputs: [{ dims: [2, 5, 2] }],
    make: (b, [x]) => b.node('Pad', [x!, int64(b, [1, 2]), null, int64(b, [-2])], { mode: 'reflect' }),
  },
  { name: 'Flatten', inputs: [{ dims: [2, 3, 2] }], make: (b, x) => b.node('Flatten', x, { axis: 2 }) },
  {
    name: 'Reshape',
    inputs: [{ dims: [2, 3, 2] }],
    make: (b, [x]) => b.node('Reshape', [x!, int64(b, [0, -1])]),
  },
  {
    name: 'Squeeze',
    inputs: [{ dims: [3, 1, 2] }],
    make: (b, [x]) => b.node('Squeeze', [x!, int64(b, [-2])]),
  },
  {
    name: 'Unsqueeze',
    inputs: [{ dims: [3, 2] }],
    make: (b, [x]) => b.node('Unsqueeze', [x!, int64(b, [0, 3])]),
  },
  {
    name: 'Transpose',
    inputs: [{ dims: [2, 3, 4] }],
    make: (b, x) => b.node('Transpose', x, { perm: [2, 0, 1] }),
  },
  {
    name: 'Transpose, all axes reversed',
    inputs: [{ dims: [2, 3, 4] }],
    make: (b, x) => b.node('Transpose', x),
  },
  {
    name: 'Expand',
    inputs: [{ dims: [3, 1] }],
    make: (b, [x]) => b.node('Expand', [x!, int64(b, [2, 1, 4])]),
    perSample: [0],
  },
  {
    name: 'Slice by steps of both signs',
    inputs: [{ dims: [7, 5] }],
    make: (b, [x]) =>
      b.node('Slice', [x!, int64(b, [1, -1]), int64(b, [6, -100]), int64(b, [0, 1]), int64(b, [2, -3])]),
  },
  {
    name: 'Slice backwards from beyond the end',
    inputs: [{ dims: [7] }],
    make: (b, [x]) =>
      b.node('Slice', [x!, int64(b, [100]), int64(b, [-100]), int64(b, [-1]), int64(b, [-2])]),
  },
  {
    name: 'Slice of the leading axis',
    inputs: [{ dims: [4, 5] }],
    make: (b, [x]) => b.node('Slice', [x!, int64(b, [1]), int64(b, [3])]),
  },
  {
    name: 'Slice of nothing',
    inputs: [{ dims: [4, 5] }],
    make: (b, [x]) => b.node('Slice', [x!, int64(b, [3]), int64(b, [1])]),
  },
  {
    name: 'Concat',
    inputs: [{ dims: [2, 2] }, { dims: [2, 3], fixed: true }, { dims: [2, 1] }],
    make: (b, x) => b.node('Concat', x, { axis: -1 }),
  },
  {
    name: 'Concat with an empty part',
    inputs: [{ dims: [2, 2] }, { dims: [2, 0] }, { dims: [2, 1] }],
    make: (b, x) => b.node('Concat', x, { axis: 1 }),
  },
  {
    name: 'Split, one part used',
    inputs: [{ dims: [2, 5] }],
    make: (b, [x]) => b.nodes('Split', [x!, int64(b, [2, 3])], { axis: -1 }, { outputs: 2 })[1]!,
  },
  {
    name: 'Split into equal parts',
    inputs: [{ dims: [5, 2] }],
    make: (b, [x]) => b.nodes('Split', [x!], { num_outputs: 3 }, { outputs: 3 }),
  },
  {
    name: 'Tile',
    inputs: [{ dims: [2, 3, 2] }],
    make: (b, [x]) => b.node('Tile', [x!, int64(b, [2, 1, 3])]),
  },
  { name: 'Tile once', inputs: [{ dims: [2, 3] }], make: (b, [x]) => b.node('Tile', [x!, int64(b, [1, 1])]) },
  {
    name: 'Tile to nothing',
    inputs: [{ dims: [2, 3] }],
    make: (b, [x]) => b.node('Tile', [x!, int64(b, [0, 2])]),
  },
  {
    name: 'DepthToSpace DCR',
    inputs: [{ dims: [1, 8, 2, 3] }],
    make: (b, x) => b.node('DepthToSpace', x, { blocksize: 2 }),
  },
  {
    name: 'DepthToSpace CRD',
    inputs: [{ dims: [1, 8, 2, 3] }],
    make: (b, x) => b.node('DepthToSpace', x, { blocksize: 2, mode: 'CRD' }),
  },
  {
    name: 'SpaceToDepth',
    inputs: [{ dims: [1, 2, 4, 6] }],
    make: (b, x) => b.node('SpaceToDepth', x, { blocksize: 2 }),
  },
  {
    name: 'Trilu, lower',
    inputs: [{ dims: [2, 4, 5] }],
    make: (b, [x]) => b.node('Trilu', [x!, int64(b, [-1], [])], { upper: 0 }),
  },
  { name: 'Trilu, upper', inputs: [{ dims: [4, 5] }], make: (b, x) => b.node('Trilu', x) },
  {
    name: 'ReverseSequence',
    inputs: [{ dims: [4, 3, 2] }],
    make: (b, [x]) => b.node('ReverseSequence', [x!, int64(b, [1, 4, 2])]),
  },
  {
    name: 'CenterCropPad, all axes',
    inputs: [{ dims: [4, 3, 2] }],
    make: (b, [x]) => b.node('CenterCropPad', [x!, int64(b, [7, 2, 3])]),
  },
  {
    name: 'CenterCropPad, two axes',
    inputs: [{ dims: [7, 6, 2] }],
    make: (b, [x]) => b.node('CenterCropPad', [x!, int64(b, [4, 9])], { axes: [0, 1] }),
  },
  {
    name: 'Compress an axis',
    inputs: [{ dims: [4, 3] }],
    make: (b, [x]) =>
      b.node('Compress', [x!, b.builder.constant(boolTensor([3], [true, false, true]))], { axis: 1 }),
  },
  {
    name: 'Compress the flat tensor',
    inputs: [{ dims: [4, 3] }],
    make: (b, [x]) => b.node('Compress', [x!, b.builder.constant(boolTensor([3], [true, false, true]))]),
  },
];
