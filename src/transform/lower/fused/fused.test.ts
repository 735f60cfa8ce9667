import { describe, expect, it } from 'vitest';
import { float, floats } from '../../../onnx/attributes.ts';
import { int64Tensor, type Tensor, tensorFrom } from '../../../onnx/tensor.ts';
import {
  bothWays,
  distance,
  type OneNode,
  oneNodeModel,
  randomTensor,
  runModel,
  specialised,
} from '../../one-node.fixture.ts';

const r = (seed: string, ...dims: number[]) => randomTensor(seed, dims, -2, 2);
const int32 = (dims: readonly number[], ...values: number[]) => tensorFrom('int32', dims, values);
const ms = (op: string, inputs: readonly (Tensor | null)[], rest: Partial<OneNode> = {}): OneNode => ({
  op,
  domain: 'com.microsoft',
  opset: 21,
  inputs,
  ...rest,
});
const embedding = [
  int32([2, 3], 0, 1, 2, 3, 4, 0),
  int32([2, 3], 0, 0, 1, 1, 1, 0),
  r('w', 5, 4),
  r('p', 6, 4),
  r('s', 2, 4),
  r('g', 4),
  r('b', 4),
];

const cases: readonly OneNode[] = [
  ms('FusedMatMul', [r('a', 2, 3, 4), r('b', 2, 4, 5)], { attributes: { alpha: float(0.25) } }),
  ms('FusedMatMul', [r('a', 2, 4, 3), r('b', 2, 5, 4)], { attributes: { transA: 1, transB: 1 } }),
  ms('FusedMatMul', [r('a', 3, 2, 4), r('b', 2, 4, 5)], { attributes: { transBatchA: 1 } }),
  ms('FusedMatMul', [r('a', 4, 2, 3), r('b', 5, 2, 4)], {
    attributes: { transBatchA: 1, transBatchB: 1, transA: 1, transB: 1 },
  }),
  ms('TransposeMatMul', [r('a', 2, 4, 3), r('b', 2, 4, 5)], { attributes: { transA: 1 } }),
  ms('FusedGemm', [r('a', 2, 3), r('b', 4, 3), r('c', 4)], {
    attributes: { transB: 1, alpha: float(0.5), activation: 'LeakyRelu', activation_alpha: float(0.3) },
  }),
  ms('FusedGemm', [r('a', 2, 3), r('b', 3, 4)], { attributes: { activation: 'Tanh' } }),
  ms('FusedConv', [r('x', 1, 2, 5, 5), r('w', 3, 2, 3, 3), r('b', 3)], {
    attributes: { activation: 'Relu', pads: [1, 1, 1, 1] },
  }),
  ms('FusedConv', [r('x', 1, 2, 5, 5), r('w', 3, 2, 3, 3), r('b', 3)], {
    attributes: { activation: 'Clip', activation_params: floats([-0.5, 0.7]) },
  }),
  ms('FusedConv', [r('x', 1, 2, 5, 5), r('w', 3, 2, 3, 3), r('b', 3), r('z', 1, 3, 3, 3)], {
    attributes: { activation: 'Relu' },
  }),
  ms('FusedConv', [r('x', 1, 2, 5, 5), r('w', 3, 2, 3, 3)], {
    attributes: { activation: 'HardSigmoid', activation_params: floats([0.3, 0.4]) },
  }),
  ms('Gelu', [r('x', 3, 4)]),
  ms('BiasGelu', [r('x', 3, 4), r('b', 4)]),
  ms('FastGelu', [r('x', 3, 4), r('b', 4)]),
  ms('FastGelu', [r('x', 3, 4)]),
  ms('QuickGelu', [r('x', 3, 4)]),
  ms('QuickGelu', [r('x', 3, 4)], { attributes: { alpha: float(1) } }),
  ms('SkipLayerNormalization', [r('x', 2, 3, 4), r('s', 2, 3, 4), r('g', 4), r('b', 4), r('c', 4)], {
    attributes: { epsilon: float(0.01) },
  }),
  ms('SkipLayerNormalization', [r('x', 2, 3, 4), r('s', 2, 3, 4), r('g', 4)]),
  ms('SkipLayerNormalization', [r('x', 2, 3, 4), r('s', 3, 4), r('g', 4), r('b', 4)]),
  ms('SkipSimplifiedLayerNormalization', [r('x', 2, 3, 4), r('s', 2, 3, 4), r('g', 4), r('c', 4)], {
    attributes: { epsilon: float(0.01) },
  }),
  {
    op: 'SimplifiedLayerNormalization',
    opset: 17,
    inputs: [r('x', 2, 3, 4), r('g', 4)],
    attributes: { axis: -1, epsilon: float(0.01) },
  },
  {
    op: 'SimplifiedLayerNormalization',
    opset: 17,
    inputs: [r('x', 2, 3, 4), r('g', 3, 4)],
    attributes: { axis: 1 },
  },
  ms('EmbedLayerNormalization', embedding, {
    outputs: 2,
    types: ['float32', 'int32'],
    attributes: { epsilon: float(0.01) },
  }),
  ms('EmbedLayerNormalization', [...embedding, int32([2, 3], 1, 1, 1, 1, 1, 0)], {
    outputs: 2,
    types: ['float32', 'int32'],
  }),
  ms(
    'EmbedLayerNormalization',
    [
      embedding[0]!,
      null,
      embedding[2]!,
      embedding[3]!,
      null,
      embedding[5]!,
      embedding[6]!,
      null,
      int64Tensor([2, 3], [0, 1, 2, 2, 1, 0]),
    ].map((t) => (t?.dtype === 'int64' ? int32([2, 3], 0, 1, 2, 2, 1, 0) : t)),
    { outputs: 2, types: ['float32', 'int32'] },
  ),
  ms('Pad', [r('x', 2, 3), int64Tensor([4], [1, 0, 0, 2])], { constant: [1] }),
  ms('Trilu', [r('x', 3, 3)], { attributes: { upper: 0 } }),
];

describe('fused operators as primitives equal the runtime', () => {
  const named = cases.map(
    (c) =>
      [
        `${c.op} ${JSON.stringify(c.attributes ?? {})} [${c.inputs.map((t) => t?.dims.join('×'))}]`,
        c,
      ] as const,
  );
  it.each(named)('%s', async (_, call) => {
    const { before, after } = await bothWays(call);
    for (const [i, want] of before.entries()) {
      expect(after[i]!.dims).toEqual(want.dims);
      expect(after[i]!.type).toEqual(want.type);
      expect(distance(want, after[i]!)).toBeLessThan(3e-6);
    }
    const { model } = specialised(oneNodeModel(call));
    expect(model.graph.nodes.filter((n) => n.domain === 'com.microsoft')).toEqual([]);
  });

  it('BiasSoftmax is the softmax of the sum (the runtime has it on a GPU only)', async () => {
    const [x, bias] = [r('x', 2, 3, 4), r('b', 2, 1, 4)];
    const call = ms('BiasSoftmax', [x, bias], { attributes: { axis: 2, is_inner_broadcast: 0 } });
    const got = await runModel(specialised(oneNodeModel(call)).model, { x0: x, x1: bias });
    const [xs, bs] = [x, bias].map(
      (t) => new Float32Array(t.data.buffer, t.data.byteOffset, t.data.byteLength / 4),
    );
    const want = Array.from(xs!, (_, i) => {
      const at = (k: number) => Math.exp(xs![Math.floor(i / 4) * 4 + k]! + bs![Math.floor(i / 12) * 4 + k]!);
      return at(i % 4) / (at(0) + at(1) + at(2) + at(3));
    });
    expect(distance({ data: want }, got.y0_new!)).toBeLessThan(1e-6);
  });

  it('names an activation that it does not know', () => {
    const call = ms('FusedGemm', [r('a', 2, 3), r('b', 3, 4)], { attributes: { activation: 'Wave' } });
    expect(() => specialised(oneNodeModel(call))).toThrow(/'Wave'/);
  });
});
