import { float } from '../../../src/onnx/attributes.ts';
import { DTYPE_CODES } from '../../../src/onnx/dtype.ts';
import { INTERNAL_DOMAIN } from '../../../src/onnx/internal-operators.ts';
import type { CaseInput, GradientCase } from '../check-gradient.ts';

const x: CaseInput = { dims: [2, 3] };
const positive: CaseInput = { dims: [2, 3], range: [0.3, 3] };
const inner: CaseInput = { dims: [2, 3], range: [-0.9, 0.9] };
const smooth = (op: string, input: CaseInput, more: Partial<GradientCase> = {}): GradientCase => ({
  op,
  inputs: [input],
  kind: 'smooth',
  ...more,
});
/** An activation on both sides of its kinks and on a tensor without elements. */
const activation = (op: string, more: Partial<GradientCase> = {}): GradientCase[] => [
  smooth(op, { dims: [8], values: [-5, -2.2, -0.7, -0.1, 0.2, 0.9, 2.1, 4.5] }, more),
  smooth(op, { dims: [0, 3] }, more),
];
const binary = (op: string, a: CaseInput, b: CaseInput, more: Partial<GradientCase> = {}): GradientCase => ({
  op,
  inputs: [a, b],
  kind: 'smooth',
  ...more,
});
const scalar = (value: number): CaseInput => ({ dims: [], values: [value], constant: true });
const straight = { options: { rounding: 'straight-through' }, expected: [[1, 1, 1, 1]] } as const;
const steps: CaseInput = { dims: [4], values: [-1.6, -0.4, 0.3, 2.7] };

/** Add, Sub, Mul, Div and their broadcasting variants, which all element-wise operators share. */
const ARITHMETIC: readonly GradientCase[] = ['Add', 'Sub', 'Mul'].flatMap((op) => [
  { op, inputs: [x, x], kind: 'linear' },
  { op, inputs: [{ dims: [2, 1, 3] }, { dims: [4, 1] }], kind: 'linear' },
  { op, inputs: [{ dims: [] }, x], kind: 'linear' },
  { op, inputs: [{ dims: [0, 3] }, { dims: [3] }], kind: 'linear' },
  { op, inputs: [{ dims: [3, 2, 2] }, { dims: [2] }], perSample: [1], kind: 'linear' },
  { op, inputs: [{ dims: [3, 2] }, { dims: [1, 2] }], perSample: [1], kind: 'linear' },
]);

export const CASES: readonly GradientCase[] = [
  ...ARITHMETIC,
  { op: 'Neg', inputs: [x], kind: 'linear' },
  binary('Div', x, positive),
  binary('Div', { dims: [3, 2] }, { dims: [2], range: [1, 2] }, { perSample: [1] }),

  smooth('Abs', x),
  smooth('Abs', { dims: [2], values: [0, -1] }, { title: 'zero', expected: [[0, -1]] }),
  smooth('Sqrt', positive),
  smooth('Reciprocal', positive),
  smooth('Exp', x),
  smooth('Log', positive),
  smooth('Erf', x),
  smooth('Sin', x),
  smooth('Cos', x),
  smooth('Tan', { dims: [2, 3], range: [-1, 1] }),
  smooth('Asin', inner),
  smooth('Acos', inner),
  smooth('Atan', x),
  smooth('Sinh', x),
  smooth('Cosh', x),
  smooth('Tanh', x),
  smooth('Asinh', x),
  smooth('Acosh', { dims: [2, 3], range: [1.2, 4] }),
  smooth('Atanh', inner),

  ...activation('Relu'),
  smooth('Relu', { dims: [3], values: [-1, 0, 1] }, { title: 'zero', expected: [[0, 0, 1]] }),
  ...activation('LeakyRelu', { attributes: { alpha: float(0.2) } }),
  smooth('LeakyRelu', { dims: [3], values: [-1, 0, 1] }, { title: 'zero', expected: [[0.01, 0.01, 1]] }),
  binary('PRelu', { dims: [3, 2, 2] }, { dims: [2, 1] }, { perSample: [1] }),
  binary('PRelu', { dims: [3, 2] }, { dims: [1] }),
  ...activation('ThresholdedRelu', { attributes: { alpha: float(0.5) } }),
  ...activation('Elu'),
  ...activation('Elu', { attributes: { alpha: float(0.5) } }),
  ...activation('Selu'),
  ...activation('Celu', { attributes: { alpha: float(2) } }),
  ...activation('Shrink', { attributes: { lambd: float(1), bias: float(0.25) } }),
  ...activation('Sigmoid'),
  ...activation('HardSigmoid'),
  ...activation('HardSigmoid', { attributes: { alpha: float(0.5), beta: float(0.4) } }),
  ...activation('HardSwish'),
  ...activation('Softplus'),
  ...activation('Softsign'),
  ...activation('Gelu', { opset: 20 }),
  ...activation('Gelu', { attributes: { approximate: 'tanh' } }),
  ...activation('Mish'),
  ...activation('Swish', { attributes: { alpha: float(1.5) }, opset: 24 }),

  {
    op: 'Where',
    inputs: [{ dims: [2, 3], dtype: 'bool', values: [1, 0, 0, 1, 1, 0] }, x, x],
    kind: 'linear',
  },
  {
    op: 'Where',
    inputs: [{ dims: [2, 1], dtype: 'bool', values: [1, 0] }, { dims: [3] }, { dims: [4, 1, 1] }],
    kind: 'linear',
  },
  ...['Max', 'Min'].flatMap((op): GradientCase[] => [
    binary(op, x, x),
    binary(op, { dims: [3, 2] }, { dims: [2] }, { perSample: [1] }),
    { op, inputs: [x, { dims: [3] }, { dims: [2, 1] }], kind: 'smooth' },
    { op, inputs: [x], kind: 'linear' },
    binary(
      op,
      { dims: [2], values: [1, 1] },
      { dims: [1], values: [1] },
      { title: 'ties', expected: [[0.5, 0.5], [1]] },
    ),
  ]),
  {
    op: 'FirstMax',
    domain: INTERNAL_DOMAIN,
    inputs: [x, x, x],
    types: [{ dtype: 'float32', dims: [2, 3] }],
    kind: 'smooth',
  },
  {
    op: 'FirstMax',
    domain: INTERNAL_DOMAIN,
    types: [{ dtype: 'float32', dims: [3] }],
    inputs: [
      { dims: [3], values: [1, 1, 0] },
      { dims: [3], values: [0, 1, 2] },
      { dims: [3], values: [1, 0, 2] },
    ],
    title: 'ties',
    expected: [
      [1, 1, 0],
      [0, 0, 1],
      [0, 0, 0],
    ],
    kind: 'smooth',
  },
  {
    op: 'PooledMax',
    domain: INTERNAL_DOMAIN,
    types: [{ dtype: 'float32', dims: [1, 1, 1, 3] }],
    inputs: [
      { dims: [1, 1, 1, 3], values: [1, 1, 0] },
      { dims: [1, 1, 1, 3], values: [0, 1, 2] },
      { dims: [1, 1, 1, 3], values: [1, 0, 2] },
      { dims: [1, 1, 1, 3], values: [0, 0, 3] },
      { dims: [1, 1, 3, 7] },
    ],
    wrt: [4],
    title: 'ties, and a row and a column that no window reaches',
    expected: [[1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]],
    kind: 'smooth',
  },
  { op: 'Clip', inputs: [x, { dims: [], values: [-1] }, { dims: [], values: [0.5] }], kind: 'smooth' },
  { op: 'Clip', inputs: [x, null, scalar(0.5)], kind: 'smooth' },
  { op: 'Clip', inputs: [x, { dims: [], values: [0.1] }], kind: 'smooth' },
  {
    op: 'Clip',
    inputs: [x, { dims: [], values: [1] }, { dims: [], values: [-1] }],
    title: 'low above high',
    kind: 'smooth',
  },
  {
    op: 'Clip',
    inputs: [{ dims: [4], values: [-1, 0, 1, 2] }, scalar(0), scalar(1)],
    title: 'at the bounds',
    expected: [[0, 1, 1, 0]],
    kind: 'smooth',
  },
  ...['Sum', 'Mean'].flatMap((op): GradientCase[] => [
    { op, inputs: [x, { dims: [3] }], kind: 'linear' },
    {
      op,
      inputs: [{ dims: [3, 2] }, { dims: [2] }, { dims: [1, 1] }, { dims: [2] }],
      perSample: [1],
      kind: 'linear',
    },
    { op, inputs: [x], kind: 'linear' },
  ]),

  binary('Pow', positive, x),
  binary('Pow', { dims: [3, 2], range: [0.5, 2] }, { dims: [2] }, { perSample: [1] }),
  ...[0, 0.5, 1, 2, 3, -1.5].map((p) => binary('Pow', positive, scalar(p), { title: `exponent ${p}` })),
  binary('Pow', x, { dims: [], dtype: 'int64', values: [3], constant: true }, { title: 'negative bases' }),
  binary('Pow', x, { dims: [2, 1], values: [2, 3] }, { title: 'negative bases', wrt: [0] }),
  binary(
    'Pow',
    { dims: [5], values: [0, 0, 0, -2, -2] },
    { dims: [5], values: [0, 1, 2, 2, 3] },
    {
      title: 'zero and negative bases',
      expected: [
        [0, 1, 0, -4, 12],
        [0, 0, 0, 0, 0],
      ],
    },
  ),
  binary(
    'Mod',
    { dims: [4], values: [5.3, -5.3, 5.3, -5.3] },
    { dims: [4], values: [2, 2, -2, -2] },
    {
      attributes: { fmod: 1 },
    },
  ),

  ...['Round', 'Floor', 'Ceil'].flatMap((op): GradientCase[] => [
    { op, inputs: [steps], kind: 'stop' },
    { op, inputs: [steps], title: 'straight-through', ...straight, kind: 'smooth' },
  ]),
  { op: 'Sign', inputs: [steps], kind: 'stop' },
  {
    op: 'Sign',
    inputs: [steps],
    title: 'straight-through',
    ...straight,
    expected: [[0, 1, 1, 0]],
    kind: 'smooth',
  },

  ...['Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'].map(
    (op): GradientCase => ({ op, inputs: [x, x], kind: 'stop' }),
  ),
  { op: 'Not', inputs: [{ dims: [2], dtype: 'bool', values: [0, 1] }], kind: 'stop' },

  ...(
    [
      ['Sigmoid', (v) => Math.exp(-v) / (1 + Math.exp(-v)) ** 2],
      ['Tanh', (v) => 1 - Math.tanh(v) ** 2],
      ['Erf', (v) => (2 / Math.sqrt(Math.PI)) * Math.exp(-v * v)],
      ['Atan', (v) => 1 / (1 + v * v)],
      ['Softsign', (v) => 1 / (1 + Math.abs(v)) ** 2],
    ] as const satisfies readonly (readonly [string, (v: number) => number])[]
  ).map(
    ([op, slope]): GradientCase => ({
      op,
      title: 'eight times as wide',
      inputs: [{ dims: [3], values: [0, 8, -20] }],
      options: { saturation: 'wide' },
      expected: [[0, 8, -20].map((v) => slope(v / 8) / 8)],
      kind: 'smooth',
    }),
  ),

  { op: 'Identity', inputs: [x], kind: 'linear' },
  { op: 'Cast', inputs: [x], attributes: { to: DTYPE_CODES.float64 }, kind: 'linear' },
  { op: 'CastLike', inputs: [x, { dims: [1], dtype: 'float64' }], wrt: [0], kind: 'linear' },
  { op: 'Dropout', inputs: [x], kind: 'linear' },
  {
    op: 'Dropout',
    inputs: [x, scalar(0.5), { dims: [], dtype: 'bool', values: [0], constant: true }],
    outputs: 2,
    kind: 'linear',
  },
  ...['Bernoulli', 'EyeLike', 'RandomNormalLike', 'RandomUniformLike'].map(
    (op): GradientCase => ({ op, inputs: [{ dims: [2, 3], range: [0, 1] }], kind: 'stop' }),
  ),
];
