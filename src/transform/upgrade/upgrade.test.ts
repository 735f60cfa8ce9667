import { describe, expect, it } from 'vitest';
import { float, floats } from '../../onnx/attributes.ts';
import { float32Tensor, int64Tensor, type Tensor, tensorFrom } from '../../onnx/tensor.ts';
import {
  bothWays,
  distance,
  type OneNode,
  oneNodeModel,
  randomTensor,
  specialised,
} from '../one-node.fixture.ts';

const x = (...dims: number[]) => randomTensor('x', dims, -2, 2);
const y = (...dims: number[]) => randomTensor('y', dims, 0.5, 2);
const ints = (...values: number[]) => int64Tensor([values.length], values);
const floatsOf = (...values: number[]) => float32Tensor([values.length], values);
const old = (
  opset: number,
  op: string,
  inputs: readonly (Tensor | null)[],
  rest: Partial<OneNode> = {},
): OneNode => ({
  op,
  opset,
  inputs,
  ...rest,
});
const NO_FLOATS = tensorFrom('float32', [0], []);

const cases: readonly OneNode[] = [
  ...[7, 11, 12].flatMap((opset) => [
    old(opset, 'Squeeze', [x(2, 1, 3, 1)], { attributes: { axes: [1, 3] } }),
    old(opset, 'Squeeze', [x(2, 1, 3, 1)]),
    old(opset, 'Unsqueeze', [x(2, 3)], { attributes: { axes: [0, 3] } }),
    old(opset, 'ReduceSum', [x(2, 3, 4)], { attributes: { axes: [1], keepdims: 0 } }),
    old(opset, 'ReduceSum', [x(2, 3, 4)]),
  ]),
  old(11, 'Unsqueeze', [x(2, 3)], { attributes: { axes: [-1] } }),
  old(11, 'Squeeze', [x(2, 3, 1)], { attributes: { axes: [-1] } }),
  ...['L1', 'L2', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'Sum', 'SumSquare'].flatMap((name) =>
    [7, 11, 17]
      .filter((opset) => opset < 13 || name !== 'Sum')
      .flatMap((opset) => [
        old(opset, `Reduce${name}`, [x(2, 3, 4)], { attributes: { axes: [0, 2] } }),
        old(opset, `Reduce${name}`, [x(2, 3, 4)], { attributes: { keepdims: 0 } }),
      ]),
  ),
  old(13, 'ReduceLogSum', [y(2, 3)], { attributes: { axes: [-1], keepdims: 0 } }),
  old(7, 'BatchNormalization', [x(2, 3, 4), x(3), x(3), y(3), y(3)], {
    attributes: { spatial: 1, epsilon: 0.01 },
  }),
  old(8, 'BatchNormalization', [x(2, 3, 4), x(3, 4), x(3, 4), y(3, 4), y(3, 4)], {
    attributes: { spatial: 0 },
  }),
  old(9, 'BatchNormalization', [x(2, 3, 4), x(3), x(3), y(3), y(3)]),
  old(18, 'GroupNormalization', [x(2, 6, 4), x(3), randomTensor('b', [3])], {
    attributes: { num_groups: 3 },
  }),
  old(7, 'Clip', [x(3, 4)], { attributes: { min: float(-0.5), max: float(1) } }),
  old(10, 'Clip', [x(3, 4)], { attributes: { max: float(0.5) } }),
  old(6, 'Clip', [x(3, 4)]),
  old(11, 'Clip', [x(3, 4), float32Tensor([], [-1])]),
  old(17, 'DFT', [x(2, 8, 3, 1)], {}),
  old(17, 'DFT', [x(2, 5, 3, 2)], { attributes: { axis: 2, inverse: 1 } }),
  old(17, 'DFT', [x(2, 8, 1), int64Tensor([], [6])], { attributes: { onesided: 1 }, constant: [1] }),
  old(7, 'Dropout', [x(3, 4)], { attributes: { ratio: float(0.3) } }),
  old(7, 'Dropout', [x(3, 4)], { outputs: 2 }),
  old(10, 'Dropout', [x(3, 4)], { outputs: 2, types: ['float32', 'bool'] }),
  ...(['constant', 'reflect', 'edge'] as const).flatMap((mode) => [
    old(7, 'Pad', [x(3, 4)], { attributes: { mode, pads: [1, 0, 2, 3], value: float(0.5) } }),
    old(2, 'Pad', [x(1, 3, 4)], { attributes: { mode, pads: [0, 1, 0, 0, 1, 2] } }),
  ]),
  old(16, 'GridSample', [x(1, 2, 4, 5), x(1, 3, 3, 2)]),
  old(16, 'GridSample', [x(1, 2, 4, 5), x(1, 3, 3, 2)], {
    attributes: { mode: 'bicubic', align_corners: 1 },
  }),
  old(16, 'GridSample', [x(1, 2, 4, 5), x(1, 3, 3, 2)], {
    attributes: { mode: 'nearest', padding_mode: 'border' },
  }),
  old(10, 'RoiAlign', [x(1, 2, 6, 6), float32Tensor([1, 4], [0.3, 0.7, 4.2, 5]), ints(0)], {
    attributes: { output_height: 2, output_width: 3, sampling_ratio: 2 },
  }),
  old(9, 'Scatter', [x(3, 3), int64Tensor([1, 3], [1, 0, 2]), y(1, 3)]),
  old(10, 'Scatter', [x(3, 3), int64Tensor([3, 1], [1, 0, 2]), y(3, 1)], { attributes: { axis: 1 } }),
  old(9, 'Slice', [x(4, 5)], { attributes: { starts: [1, -3], ends: [3, 1000] } }),
  old(7, 'Slice', [x(4, 5)], { attributes: { starts: [1], ends: [-1], axes: [1] } }),
  old(10, 'Slice', [x(4, 5), ints(4), ints(-9), ints(1), ints(-2)], { constant: [1, 2, 3, 4] }),
  old(7, 'Split', [x(4, 6)], { attributes: { axis: 1, split: [1, 2, 3] }, outputs: 3 }),
  old(11, 'Split', [x(4, 6)], { attributes: { axis: -1 }, outputs: 3 }),
  old(13, 'Split', [x(4, 6)], { outputs: 2 }),
  old(13, 'Split', [x(4, 6), ints(1, 3)], { outputs: 2, constant: [1] }),
  ...['Softmax', 'LogSoftmax', 'Hardmax'].flatMap((op) => [
    old(7, op, [x(2, 3, 4)]),
    old(11, op, [x(2, 3, 4)], { attributes: { axis: 0 } }),
    old(11, op, [x(2, 3, 4)], { attributes: { axis: -1 } }),
    old(12, op, [x(2, 3, 2, 2)], { attributes: { axis: 2 } }),
    old(13, op, [x(2, 3, 4)], { attributes: { axis: 1 } }),
  ]),
  old(7, 'TopK', [x(3, 5)], { attributes: { k: 2 }, outputs: 2, types: ['float32', 'int64'] }),
  old(9, 'TopK', [x(3, 5)], { attributes: { k: 2, axis: 0 }, outputs: 2, types: ['float32', 'int64'] }),
  old(10, 'TopK', [x(3, 5), ints(3)], { constant: [1], outputs: 2, types: ['float32', 'int64'] }),
  old(7, 'Upsample', [x(1, 2, 3, 3)], { attributes: { scales: floats([1, 1, 2, 3]) } }),
  old(7, 'Upsample', [x(1, 2, 3, 3)], { attributes: { mode: 'linear', scales: floats([1, 1, 2, 3]) } }),
  old(9, 'Upsample', [x(1, 2, 3, 3), floatsOf(1, 1, 1.5, 2.5)], { constant: [1] }),
  old(9, 'Upsample', [x(1, 2, 3, 3), floatsOf(1, 1, 1.5, 2.5)], {
    constant: [1],
    attributes: { mode: 'linear' },
  }),
  ...(['nearest', 'linear'] as const).flatMap((mode) =>
    [
      [1, 1, 2, 2],
      [1, 1, 0.6, 0.5],
      [1, 1, 1.7, 0.5],
      [1, 1, 0.3, 3],
    ].map((scales) =>
      old(10, 'Resize', [x(1, 2, 7, 6), floatsOf(...scales)], { constant: [1], attributes: { mode } }),
    ),
  ),
  ...[11, 12].flatMap((opset) => [
    old(opset, 'Resize', [x(1, 2, 4, 4), NO_FLOATS, floatsOf(1, 1, 2, 1.5)], { constant: [1, 2] }),
    old(opset, 'Resize', [x(1, 2, 4, 4), NO_FLOATS, NO_FLOATS, ints(1, 2, 3, 6)], {
      constant: [1, 2, 3],
      attributes: { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
    }),
    old(opset, 'Resize', [x(1, 2, 4, 4), NO_FLOATS, NO_FLOATS, ints(1, 2, 3, 6)], {
      constant: [1, 2, 3],
      attributes: { mode: 'cubic', cubic_coeff_a: float(-0.5) },
    }),
    old(opset, 'Resize', [x(1, 2, 4, 4), NO_FLOATS, floatsOf(1, 1, 2, 0.5)], {
      constant: [1, 2],
      attributes: {
        mode: 'nearest',
        coordinate_transformation_mode: 'tf_half_pixel_for_nn',
        nearest_mode: 'floor',
      },
    }),
  ]),
  // Only attributes and inputs were added to these; the old form must mean the same.
  old(7, 'AveragePool', [x(1, 2, 5, 5)], {
    attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 },
  }),
  ...[0, 1].map((count_include_pad) =>
    old(11, 'AveragePool', [x(1, 2, 6, 6)], {
      attributes: {
        kernel_shape: [3, 3],
        strides: [2, 2],
        pads: [1, 1, 0, 0],
        count_include_pad,
        ceil_mode: 1,
      },
    }),
  ),
  old(10, 'AveragePool', [x(1, 2, 6)], { attributes: { kernel_shape: [3], strides: [2], ceil_mode: 1 } }),
  old(8, 'MaxPool', [x(1, 2, 5, 5)], {
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    outputs: 2,
    types: ['float32', 'int64'],
  }),
  old(10, 'MaxPool', [x(1, 2, 6, 6)], {
    attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 },
  }),
  old(7, 'LpPool', [x(1, 2, 5, 5)], { attributes: { kernel_shape: [2, 2] } }),
  old(7, 'Gemm', [x(2, 3), y(3, 4), y(4)], { attributes: { alpha: float(0.5) } }),
  old(11, 'Gemm', [x(2, 3), y(3, 4)]),
  old(7, 'Flatten', [x(2, 3, 4)]),
  old(11, 'Flatten', [x(2, 3, 4)], { attributes: { axis: -1 } }),
  old(7, 'PRelu', [x(2, 3, 4), y(3, 1)]),
  old(7, 'Sum', [x(2, 3), y(2, 3)]),
  old(8, 'Max', [x(2, 3), y(3)]),
  old(7, 'Pow', [y(2, 3), y(3)]),
  old(9, 'MeanVarianceNormalization', [x(2, 3, 4, 2)]),
  old(7, 'Reshape', [x(2, 3, 4), ints(0, -1)], { constant: [1] }),
  old(9, 'OneHot', [ints(0, 2, 1), ints(3), floatsOf(-1, 2)], { constant: [1] }),
  old(7, 'ArgMax', [x(2, 3)], { types: ['int64'] }),
  old(1, 'DepthToSpace', [x(1, 8, 2, 2)], { attributes: { blocksize: 2 } }),
  old(7, 'LpNormalization', [x(2, 3)]),
].map((c) => ({ ...c, opset: Math.max(c.opset, 7) }));

const named = cases.map(
  (c) =>
    [
      `${c.op} ${c.opset} ${JSON.stringify(c.attributes ?? {})} [${c.inputs.map((t) => t?.dims.join('×'))}]`,
      c,
    ] as const,
);

describe('an operator of an old opset means the same in the build opset', () => {
  it.each(named)('%s', async (_, call) => {
    const { before, after } = await bothWays(call);
    for (const [i, want] of before.entries()) {
      expect(after[i]!.dims).toEqual(want.dims);
      expect(after[i]!.type).toEqual(want.type);
      expect(distance(want, after[i]!)).toBeLessThan(1e-6);
    }
  });
});

it('gives old nodes in the new form only', () => {
  const { ops } = specialised(
    oneNodeModel(old(9, 'Upsample', [x(1, 1, 2, 2), floatsOf(1, 1, 2, 2)], { constant: [1] })),
  );
  expect(ops).toContain('Resize');
});

it('turns a training node into one with training_mode', () => {
  const inputs = [x(2, 3, 4), x(3), x(3), y(3), y(3)];
  const built = specialised(oneNodeModel(old(9, 'BatchNormalization', inputs, { outputs: 3 })));
  const node = built.model.graph.nodes.find((n) => n.op === 'BatchNormalization')!;
  expect(node.attributes.get('training_mode')).toEqual({ kind: 'int', value: 1 });
});

it('leaves out the statistics that a training node saves for itself, as torch exports them, unless they are read', () => {
  const inputs = [x(2, 3, 4), x(3), x(3), y(3), y(3)];
  const model = oneNodeModel(old(13, 'BatchNormalization', inputs, { outputs: 5 }));
  const unread = { ...model, graph: { ...model.graph, outputs: model.graph.outputs.slice(0, 3) } };
  const node = specialised(unread).model.graph.nodes.find((n) => n.op === 'BatchNormalization')!;
  expect(node.outputs).toHaveLength(3);
  expect(() => specialised(model)).toThrow(/y3: no node makes it/);
});

it('refuses scales that depend on data, and a split that does not go up', () => {
  expect(() => specialised(oneNodeModel(old(10, 'Resize', [x(1, 1, 2, 2), floatsOf(1, 1, 2, 2)])))).toThrow(
    /scales/,
  );
  expect(() => specialised(oneNodeModel(old(11, 'Split', [x(5)], { outputs: 2 })))).toThrow(
    /2 divides, got 5/,
  );
});
