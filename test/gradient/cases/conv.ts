import type { AttributeInput } from '../../../src/onnx/attributes.ts';
import type { GradientCase } from '../check-gradient.ts';

const conv = (
  title: string,
  x: readonly number[],
  w: readonly number[],
  attributes: Readonly<Record<string, AttributeInput>> = {},
  more: Partial<GradientCase> = {},
): GradientCase => ({
  op: 'Conv',
  title,
  inputs: [{ dims: x }, { dims: w }, { dims: [w[0]!] }],
  attributes,
  perSample: [1, 2],
  kind: 'linear',
  ...more,
});
/** With weights that are constants, as in a model that is attacked. */
const attacked = (
  title: string,
  x: readonly number[],
  w: readonly number[],
  attributes: Readonly<Record<string, AttributeInput>> = {},
): GradientCase => ({
  op: 'Conv',
  title: `constant weights, ${title}`,
  inputs: [{ dims: x }, { dims: w, constant: true }],
  attributes,
  kind: 'linear',
});

export const CASES: readonly GradientCase[] = [
  conv('plain', [2, 2, 5, 4], [3, 2, 3, 3]),
  conv('padded', [2, 2, 4, 4], [3, 2, 3, 3], { pads: [1, 1, 1, 1] }),
  conv('1×1', [2, 3, 3, 3], [4, 3, 1, 1]),
  conv('1×1, strided', [2, 3, 4, 4], [4, 3, 1, 1], { strides: [2, 2] }),
  conv('strided, rows left over', [2, 2, 6, 5], [3, 2, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }),
  conv('strided wider than the kernel', [2, 1, 7, 7], [2, 1, 2, 2], { strides: [3, 3] }),
  conv('uneven pads', [2, 1, 4, 5], [2, 1, 3, 2], { pads: [0, 1, 2, 0] }),
  conv('dilated', [2, 2, 6, 6], [2, 2, 3, 2], { dilations: [2, 3], pads: [1, 2, 1, 0] }),
  conv('dilated and strided', [2, 1, 8, 8], [2, 1, 3, 3], { dilations: [2, 2], strides: [2, 3] }),
  conv('groups', [2, 4, 4, 4], [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }),
  conv('depthwise', [2, 3, 4, 4], [3, 1, 3, 3], { group: 3, strides: [2, 2], pads: [1, 1, 1, 1] }),
  conv('one axis', [2, 2, 7], [3, 2, 3], { strides: [2], pads: [1, 1] }),
  conv('three axes', [2, 1, 3, 3, 3], [2, 1, 2, 2, 2], { pads: [1, 0, 0, 0, 1, 0] }),
  conv('same, upper', [2, 1, 5, 5], [2, 1, 2, 2], { auto_pad: 'SAME_UPPER', strides: [2, 2] }),
  conv('same, lower', [2, 1, 4, 4], [2, 1, 2, 2], { auto_pad: 'SAME_LOWER' }),
  attacked('padded', [2, 2, 4, 4], [3, 2, 3, 3], { pads: [1, 1, 1, 1] }),
  attacked('strided', [2, 2, 6, 6], [3, 2, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }),
  attacked('strided, no overlap', [2, 2, 5, 5], [3, 2, 2, 2], { strides: [2, 2] }),
  attacked('groups, dilated', [2, 4, 5, 5], [4, 2, 2, 2], { group: 2, dilations: [2, 2] }),
];
