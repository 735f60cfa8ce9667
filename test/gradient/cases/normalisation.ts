import { float } from '../../../src/onnx/attributes.ts';
import type { CaseInput, GradientCase } from '../check-gradient.ts';

const positive = (n: number): CaseInput => ({ dims: [n], range: [0.5, 2] });
const epsilon = float(0.05);
const smooth = (
  op: string,
  inputs: readonly CaseInput[],
  more: Partial<GradientCase> = {},
): GradientCase => ({ op, inputs, kind: 'smooth', ...more });

const batch = [
  [2, 3, 2, 2],
  [4, 3],
  [2, 3, 4],
].flatMap((dims): GradientCase[] => [
  smooth('BatchNormalization', [{ dims }, positive(3), positive(3), positive(3), positive(3)], {
    attributes: { epsilon },
    perSample: [1, 2],
  }),
  smooth('BatchNormalization', [{ dims }, positive(3), positive(3), positive(3), positive(3)], {
    attributes: { epsilon, training_mode: 1, momentum: float(0.7) },
    outputs: 3,
    cotangents: [0, 1, 2],
    title: 'training',
    wrt: [0, 1, 2, 3, 4],
  }),
]);

/** Batch, layer, group, instance and the other normalisations. */
export const CASES: readonly GradientCase[] = [
  ...batch,
  smooth('InstanceNormalization', [{ dims: [2, 3, 4] }, positive(3), positive(3)], {
    attributes: { epsilon },
    perSample: [1, 2],
  }),
  smooth('GroupNormalization', [{ dims: [2, 6, 3] }, positive(6), positive(6)], {
    attributes: { epsilon, num_groups: 2 },
    perSample: [1, 2],
  }),
  smooth('GroupNormalization', [{ dims: [2, 6, 3] }, positive(2), positive(2)], {
    attributes: { epsilon, num_groups: 2 },
    opset: 20,
    perSample: [1, 2],
    title: 'scale a group',
  }),
  smooth('GroupNormalization', [{ dims: [2, 4, 2, 2] }, positive(4), positive(4)], {
    attributes: { epsilon, num_groups: 1 },
  }),
  smooth('LayerNormalization', [{ dims: [2, 3, 4] }, positive(4), positive(4)], {
    attributes: { epsilon },
    perSample: [1, 2],
  }),
  smooth('LayerNormalization', [{ dims: [2, 3, 4] }, { dims: [3, 4] }, { dims: [3, 4] }], {
    attributes: { epsilon, axis: 1 },
    perSample: [1, 2],
  }),
  smooth('LayerNormalization', [{ dims: [2, 3, 4] }, { dims: [4] }], {
    attributes: { epsilon, axis: -1 },
    outputs: 3,
    cotangents: [0, 1, 2],
    title: 'through Mean and InvStdDev',
  }),
  smooth('LayerNormalization', [{ dims: [0, 4] }, { dims: [4] }, { dims: [4] }], { attributes: { epsilon } }),
  smooth('RMSNormalization', [{ dims: [2, 3, 4] }, positive(4)], {
    attributes: { epsilon },
    opset: 23,
    perSample: [1],
  }),
  smooth('RMSNormalization', [{ dims: [2, 3, 4] }, { dims: [3, 4] }], {
    attributes: { epsilon, axis: 1 },
    opset: 23,
  }),
  smooth('MeanVarianceNormalization', [{ dims: [2, 3, 2, 2] }]),
  smooth('MeanVarianceNormalization', [{ dims: [2, 3, 2, 2] }], { attributes: { axes: [2, 3] } }),
  smooth('LpNormalization', [{ dims: [2, 3, 4] }], { attributes: { axis: 1, p: 1 } }),
  smooth('LpNormalization', [{ dims: [2, 3, 4] }]),
  smooth('LpNormalization', [{ dims: [2, 2], values: [0, 0, 3, 4] }], {
    expected: [[0, 0, 0.032, -0.024]],
    title: 'a zero vector',
  }),
  ...[1, 3, 5].map((size) =>
    smooth('LRN', [{ dims: [2, 6, 2, 2] }], {
      attributes: { size, alpha: float(0.9), beta: float(0.6), bias: float(1.5) },
      title: `${size} channels`,
    }),
  ),
];
