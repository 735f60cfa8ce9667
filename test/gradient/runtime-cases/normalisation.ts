import { float } from '../../../src/onnx/attributes.ts';
import type { CaseInput, RuntimeCase } from '../runtime-check.ts';

const positive = (n: number): CaseInput => ({ dims: [n], low: 0.5, high: 2 });
const wide = (dims: readonly number[]): CaseInput => ({ dims, low: -2, high: 2 });
const epsilon = float(0.05);

const channels = [
  [2, 3, 2, 2],
  [4, 3],
  [2, 3, 4],
].flatMap((dims): RuntimeCase[] => [
  {
    name: `BatchNormalization, inference [${dims}]`,
    inputs: [{ dims }, positive(3), positive(3), positive(3), positive(3)],
    make: (b, x) => b.node('BatchNormalization', x, { epsilon }),
    perSample: [1, 2],
  },
  {
    name: `BatchNormalization, training with running statistics [${dims}]`,
    inputs: [wide(dims), positive(3), positive(3), positive(3), positive(3)],
    make: (b, x) =>
      b.nodes('BatchNormalization', x, { training_mode: 1, epsilon, momentum: float(0.7) }, { outputs: 3 }),
    dtype: 'float32',
  },
]);

/** Batch, layer, group, instance and the other normalisations. */
export const NORMALISATION_CASES: readonly RuntimeCase[] = [
  ...channels,
  {
    name: 'InstanceNormalization',
    inputs: [wide([2, 3, 4]), positive(3), positive(3)],
    make: (b, x) => b.node('InstanceNormalization', x, { epsilon }),
    dtype: 'float32',
    perSample: [1, 2],
  },
  {
    name: 'GroupNormalization, scale a channel',
    inputs: [wide([2, 6, 3]), positive(6), positive(6)],
    make: (b, x) => b.node('GroupNormalization', x, { num_groups: 2, epsilon }),
    dtype: 'float32',
    perSample: [1, 2],
  },
  {
    name: 'LayerNormalization',
    inputs: [{ dims: [2, 3, 4] }, positive(4), positive(4)],
    make: (b, x) => b.node('LayerNormalization', x, { axis: -1, epsilon }),
    perSample: [1, 2],
  },
  {
    name: 'LayerNormalization over two axes',
    inputs: [{ dims: [2, 3, 4] }, { dims: [3, 4] }, { dims: [3, 4] }],
    make: (b, x) => b.node('LayerNormalization', x, { axis: 1, epsilon }),
    perSample: [1, 2],
  },
  {
    name: 'LayerNormalization in float32 without bias',
    inputs: [wide([2, 3, 4]), { dims: [4] }],
    make: (b, x) => b.node('LayerNormalization', x, { axis: -1, epsilon }),
    dtype: 'float32',
  },
  {
    name: 'LayerNormalization through Mean and InvStdDev',
    inputs: [wide([2, 3, 4]), { dims: [4] }, { dims: [4] }],
    make: (b, x) => b.nodes('LayerNormalization', x, { axis: -1, epsilon }, { outputs: 3 }),
    dtype: 'float32',
  },
  {
    name: 'RMSNormalization',
    inputs: [{ dims: [2, 3, 4] }, positive(4)],
    make: (b, x) => b.node('RMSNormalization', x, { axis: -1, epsilon }),
    opset: 23,
    perSample: [1],
  },
  {
    name: 'MeanVarianceNormalization',
    inputs: [{ dims: [2, 3, 2, 2] }],
    make: (b, x) => b.node('MeanVarianceNormalization', x, {}),
    dtype: 'float32',
    step: 3e-3,
  },
  ...[1, 2].map(
    (p): RuntimeCase => ({
      name: `LpNormalization, p = ${p}`,
      inputs: [{ dims: [2, 3, 4] }],
      make: (b, x) => b.node('LpNormalization', x, { axis: 1, p }),
    }),
  ),
  ...[1, 3, 5].map(
    (size): RuntimeCase => ({
      name: `LRN over ${size} channels`,
      inputs: [{ dims: [2, 6, 2, 2] }],
      make: (b, x) => b.node('LRN', x, { size, alpha: float(0.9), beta: float(0.6), bias: float(1.5) }),
      dtype: 'float32',
    }),
  ),
];
