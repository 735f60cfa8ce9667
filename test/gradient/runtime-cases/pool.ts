import type { AttributeInput } from '../../../src/onnx/attributes.ts';
import { int64, type RuntimeCase } from '../runtime-check.ts';

type Geometry = Readonly<Record<string, AttributeInput>>;

const PLANE: readonly Geometry[] = [
  { kernel_shape: [2, 2], strides: [2, 2] },
  { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
  { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 0, 1], ceil_mode: 1 },
  { kernel_shape: [2, 2], dilations: [2, 2] },
  { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_LOWER' },
  { kernel_shape: [2, 2], strides: [3, 3] },
  { kernel_shape: [4, 4], strides: [4, 4] },
];

const inPlane = PLANE.flatMap((a): RuntimeCase[] => [
  {
    name: `MaxPool ${JSON.stringify(a)}`,
    inputs: [{ dims: [2, 2, 6, 7] }],
    make: (b, x) => b.node('MaxPool', x, a),
  },
  ...[0, 1].map(
    (count_include_pad): RuntimeCase => ({
      name: `AveragePool ${JSON.stringify({ ...a, count_include_pad })}`,
      inputs: [{ dims: [2, 2, 6, 7] }],
      make: (b, x) => b.node('AveragePool', x, { ...a, count_include_pad }),
      dtype: 'float32',
    }),
  ),
]);

/** Pooling in one to three dimensions. */
export const POOL_CASES: readonly RuntimeCase[] = [
  ...inPlane,
  {
    name: 'MaxPool, one dimension',
    inputs: [{ dims: [2, 2, 7] }],
    make: (b, x) => b.node('MaxPool', x, { kernel_shape: [3], strides: [2] }),
  },
  {
    name: 'MaxPool, three dimensions',
    inputs: [{ dims: [1, 2, 4, 4, 3] }],
    make: (b, x) => b.node('MaxPool', x, { kernel_shape: [2, 2, 3], strides: [2, 1, 1] }),
  },
  {
    name: 'MaxPool with column-major indices',
    inputs: [{ dims: [1, 2, 5, 4] }],
    make: (b, x) => b.nodes('MaxPool', x, { kernel_shape: [3, 3], storage_order: 1 }, { outputs: 2 })[0]!,
  },
  {
    name: 'AveragePool, three dimensions',
    inputs: [{ dims: [1, 2, 4, 4, 3] }],
    make: (b, x) => b.node('AveragePool', x, { kernel_shape: [2, 2, 3], strides: [2, 1, 1] }),
    dtype: 'float32',
  },
  {
    name: 'GlobalAveragePool',
    inputs: [{ dims: [2, 2, 3, 4] }],
    make: (b, x) => b.node('GlobalAveragePool', x),
    dtype: 'float32',
  },
  {
    name: 'GlobalMaxPool',
    inputs: [{ dims: [2, 2, 3, 3] }],
    make: (b, x) => b.node('GlobalMaxPool', x),
    dtype: 'float32',
    step: 1e-3,
  },
  ...[1, 2, 3].flatMap((p): RuntimeCase[] => [
    {
      name: `LpPool, p = ${p}`,
      inputs: [{ dims: [1, 2, 5, 5] }],
      make: (b, x) => b.node('LpPool', x, { p, kernel_shape: [2, 3], strides: [2, 1], pads: [1, 0, 0, 1] }),
      dtype: 'float32',
      step: 3e-3,
    },
    {
      name: `GlobalLpPool, p = ${p}`,
      inputs: [{ dims: [1, 2, 3, 3] }],
      make: (b, x) => b.node('GlobalLpPool', x, { p }),
      dtype: 'float32',
      step: 3e-3,
    },
  ]),
  {
    name: 'MaxUnpool',
    inputs: [{ dims: [1, 1, 2, 2] }],
    make: (b, x) =>
      b.node('MaxUnpool', [x[0]!, int64(b, [0, 6, 9, 15], [1, 1, 2, 2])], {
        kernel_shape: [2, 2],
        strides: [2, 2],
      }),
    dtype: 'float32',
  },
  {
    name: 'Col2Im',
    inputs: [{ dims: [1, 12, 12] }],
    make: (b, x) => b.node('Col2Im', [x[0]!, int64(b, [5, 5]), int64(b, [2, 3])]),
    dtype: 'float32',
  },
  {
    name: 'Col2Im with strides, dilations and pads',
    inputs: [{ dims: [1, 8, 9] }],
    make: (b, x) =>
      b.node('Col2Im', [x[0]!, int64(b, [6, 5]), int64(b, [2, 2])], {
        pads: [0, 1, 1, 1],
        strides: [2, 2],
        dilations: [1, 2],
      }),
    dtype: 'float32',
  },
];
