import type { AttributeInput } from '../../../src/onnx/attributes.ts';
import type { CaseInput, GradientCase } from '../check-gradient.ts';

const planes: CaseInput = { dims: [2, 2, 6, 7] };
type Geometry = Readonly<Record<string, AttributeInput>>;

/** Windows of 2ⁿ elements, so that means are exact. */
const MEANS: readonly Geometry[] = [
  { kernel_shape: [2, 2], strides: [2, 2] },
  { kernel_shape: [4, 2], strides: [1, 3] },
  { kernel_shape: [2, 2], dilations: [2, 3] },
  { kernel_shape: [2, 2], strides: [2, 2], pads: [1, 1, 0, 0], count_include_pad: 1 },
  { kernel_shape: [2, 2], strides: [2, 2], pads: [1, 1, 0, 0] },
  { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 },
];
const MAXIMA: readonly Geometry[] = [
  { kernel_shape: [2, 2], strides: [2, 2] },
  { kernel_shape: [3, 3], strides: [3, 3] },
  { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
  { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 0, 1], ceil_mode: 1 },
  { kernel_shape: [2, 2], dilations: [2, 2] },
];
const CONVOLUTIONS: readonly Geometry[] = [
  {},
  { strides: [2, 3], pads: [1, 0, 0, 1] },
  { strides: [3, 2], dilations: [2, 1], group: 2 },
  { strides: [2, 2], pads: [1, 1, 1, 1], group: 2 },
];

const convolution = (op: string, w: readonly number[], bias: number, attributes: Geometry): GradientCase => ({
  op,
  inputs: [{ dims: [2, 4, 5, 6] }, { dims: w }, { dims: [bias] }],
  attributes,
  title: JSON.stringify(attributes),
  perSample: [1, 2],
  kind: 'linear',
});

/** Convolution and pooling. */
export const CASES: readonly GradientCase[] = [
  ...MEANS.map(
    (attributes): GradientCase => ({
      op: 'AveragePool',
      inputs: [planes],
      attributes,
      title: JSON.stringify(attributes),
      kind: 'linear',
    }),
  ),
  ...MAXIMA.map(
    (attributes): GradientCase => ({
      op: 'MaxPool',
      inputs: [planes],
      attributes,
      title: JSON.stringify(attributes),
      kind: 'smooth',
    }),
  ),
  ...CONVOLUTIONS.flatMap((attributes) => [
    convolution('Conv', [6, attributes.group === 2 ? 2 : 4, 3, 2], 6, attributes),
    convolution('ConvTranspose', [4, 3, 3, 2], attributes.group === 2 ? 6 : 3, attributes),
  ]),
  convolution('ConvTranspose', [4, 3, 3, 3], 3, { strides: [2, 3], output_padding: [1, 2] }),
  {
    op: 'ConvTranspose',
    inputs: [{ dims: [0, 2, 4] }, { dims: [2, 3, 3] }],
    title: 'no samples',
    kind: 'linear',
  },
  {
    op: 'AveragePool',
    inputs: [{ dims: [0, 2, 4, 4] }],
    attributes: { kernel_shape: [2, 2] },
    kind: 'linear',
  },
  { op: 'MaxPool', inputs: [{ dims: [0, 2, 4, 4] }], attributes: { kernel_shape: [2, 2] }, kind: 'smooth' },
  ...[
    [2, 2],
    [1, 2],
  ].map(
    (strides): GradientCase => ({
      op: 'MaxPool',
      inputs: [{ dims: [1, 1, 2, 4], values: [1, 1, 0, 0, 1, 1, 0, 0] }],
      attributes: { kernel_shape: [2, 2], strides },
      kind: 'smooth',
      expected: [[1, 0, 1, 0, 0, 0, 0, 0]],
      title: `ties go to the first, strides ${strides}`,
    }),
  ),
  ...[
    { dims: [1, 1, 3, 3], values: [1, 1, 1, 1, 1, 1, 1, 1, 1], expected: [1, 1, 0, 1, 1, 0, 0, 0, 0] },
    { dims: [1, 1, 2, 2], values: [0, 1, 1, 0], expected: [0, 1, 0, 0] },
    { dims: [1, 1, 2, 3], values: [0, 1, 1, 1, 1, 0], expected: [0, 2, 0, 0, 0, 0] },
  ].map(
    ({ dims, values, expected }): GradientCase => ({
      op: 'MaxPool',
      inputs: [{ dims, values }],
      attributes: { kernel_shape: [2, 2] },
      kind: 'smooth',
      expected: [expected],
      title: `ties in sliding windows over ${values}`,
    }),
  ),
  {
    op: 'MaxPool',
    inputs: [{ dims: [2, 2, 5, 6] }],
    attributes: { kernel_shape: [3, 2] },
    kind: 'smooth',
  },
  {
    op: 'MaxPool',
    inputs: [{ dims: [1, 2, 7] }],
    attributes: { kernel_shape: [3], strides: [2] },
    kind: 'smooth',
  },
  {
    op: 'MaxPool',
    inputs: [{ dims: [1, 2, 4, 4, 3] }],
    attributes: { kernel_shape: [2, 2, 3] },
    kind: 'smooth',
  },
  { op: 'GlobalAveragePool', inputs: [{ dims: [2, 2, 2, 4] }], kind: 'linear' },
  { op: 'GlobalMaxPool', inputs: [{ dims: [2, 2, 3, 4] }], kind: 'smooth' },
  {
    op: 'GlobalMaxPool',
    inputs: [{ dims: [1, 1, 4], values: [1, 3, 3, 0] }],
    kind: 'smooth',
    expected: [[0, 1, 0, 0]],
    title: 'ties',
  },
  ...[1, 2, 3].flatMap((p): GradientCase[] => [
    { op: 'GlobalLpPool', inputs: [{ dims: [2, 2, 2, 3] }], attributes: { p }, kind: 'smooth' },
    {
      op: 'LpPool',
      inputs: [planes],
      attributes: { p, kernel_shape: [2, 3], strides: [2, 1], pads: [1, 0, 0, 1] },
      kind: 'smooth',
      title: `p = ${p}`,
    },
  ]),
  {
    op: 'LpPool',
    inputs: [{ dims: [1, 1, 4], values: [0, 0, 3, 4] }],
    attributes: { kernel_shape: [2], strides: [2] },
    kind: 'smooth',
    expected: [[0, 0, 0.6, 0.8]],
    title: 'a window of zeros',
  },
  {
    op: 'MaxUnpool',
    inputs: [
      { dims: [1, 1, 2, 2] },
      { dims: [1, 1, 2, 2], dtype: 'int64', values: [0, 6, 9, 15], constant: true },
    ],
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    kind: 'linear',
  },
  {
    op: 'Col2Im',
    inputs: [
      { dims: [1, 8, 9] },
      { dims: [2], dtype: 'int64', values: [6, 5], constant: true },
      { dims: [2], dtype: 'int64', values: [2, 2], constant: true },
    ],
    attributes: { pads: [0, 1, 1, 1], strides: [2, 2], dilations: [1, 2] },
    kind: 'linear',
  },
];
