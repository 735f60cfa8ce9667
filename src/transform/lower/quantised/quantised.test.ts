import { describe, expect, it } from 'vitest';
import { attributesFrom, float } from '../../../onnx/attributes.ts';
import type { DType } from '../../../onnx/dtype.ts';
import type { Model, Node } from '../../../onnx/model.ts';
import { float32Tensor, type Tensor, tensorFrom } from '../../../onnx/tensor.ts';
import { vjp } from '../../gradient/vjp.ts';
import {
  bothWays,
  distance,
  type OneNode,
  oneNodeModel,
  randomTensor,
  runModel,
  specialised,
} from '../../one-node.fixture.ts';
import { specialise } from '../../specialise.ts';

const x = (...dims: number[]) => randomTensor('x', dims, -3, 3);
const u8 = (seed: string, ...dims: number[]) => quantum('uint8', seed, dims, 0, 256);
const s8 = (seed: string, ...dims: number[]) => quantum('int8', seed, dims, -128, 128);
const scale = (...values: number[]) => float32Tensor(values.length === 1 ? [] : [values.length], values);
const zero = (dtype: DType, ...values: number[]) =>
  tensorFrom(dtype, values.length === 1 ? [] : [values.length], values);

function quantum(dtype: DType, seed: string, dims: readonly number[], low: number, high: number): Tensor {
  const values = new Float32Array(randomTensor(seed, dims, low, high).data.slice().buffer);
  return tensorFrom(dtype, dims, values.map(Math.floor));
}

const call = (op: string, inputs: readonly (Tensor | null)[], rest: Partial<OneNode> = {}): OneNode => ({
  op,
  opset: 21,
  inputs,
  types: ['uint8'],
  ...rest,
});
const ms = (op: string, inputs: readonly (Tensor | null)[], rest: Partial<OneNode> = {}) =>
  call(op, inputs, { domain: 'com.microsoft', ...rest });

/** The largest difference to the runtime's integers that is allowed, and the call. */
const cases: readonly (readonly [number, OneNode])[] = [
  [0, call('QuantizeLinear', [x(3, 40), scale(0.02), zero('uint8', 120)])],
  [0, call('QuantizeLinear', [x(3, 40), scale(0.02), zero('uint8', 120)], { opset: 10 })],
  [0, call('QuantizeLinear', [x(3, 40), scale(0.5)], { opset: 13 })],
  [0, call('QuantizeLinear', [x(3, 40), scale(0.02), zero('int8', -3)], { types: ['int8'] })],
  [0, call('QuantizeLinear', [x(3, 40), scale(0.001), zero('int16', 3)], { types: ['int16'] })],
  [
    0,
    call('QuantizeLinear', [x(2, 3, 9), scale(0.02, 0.01, 0.3), zero('uint8', 1, 100, 30)], {
      attributes: { axis: 1 },
    }),
  ],
  [
    0,
    call('QuantizeLinear', [x(2, 6), float32Tensor([2, 3], [0.02, 0.01, 0.3, 0.1, 0.04, 0.2])], {
      attributes: { axis: 1, block_size: 2 },
    }),
  ],
  // Halves round to even.
  [
    0,
    call('QuantizeLinear', [
      float32Tensor([6], [0.5, 1.5, 2.5, 3.5, -0.5, 300]),
      scale(1),
      zero('uint8', 10),
    ]),
  ],
  [1e-6, call('DequantizeLinear', [u8('q', 3, 4), scale(0.02), zero('uint8', 120)], { types: ['float32'] })],
  [
    1e-6,
    call('DequantizeLinear', [s8('q', 3, 4), scale(0.02, 0.1, 0.4), zero('int8', 1, -2, 0)], {
      attributes: { axis: 0 },
      types: ['float32'],
      opset: 13,
    }),
  ],
  [
    1e-6,
    call('DequantizeLinear', [quantum('int32', 'q', [4], -9999, 9999), scale(0.01)], { types: ['float32'] }),
  ],
  [
    1e-6,
    call('DequantizeLinear', [s8('q', 4, 3), float32Tensor([2, 3], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])], {
      attributes: { axis: 0, block_size: 2 },
      types: ['float32'],
    }),
  ],
  [0, call('DynamicQuantizeLinear', [x(3, 7)], { outputs: 3, types: ['uint8', 'float32', 'uint8'] })],
  [
    0,
    call('DynamicQuantizeLinear', [randomTensor('p', [9], 1, 4)], {
      outputs: 3,
      types: ['uint8', 'float32', 'uint8'],
    }),
  ],
  [
    1,
    call(
      'QLinearConv',
      [
        u8('x', 1, 3, 6, 6),
        scale(0.02),
        zero('uint8', 128),
        s8('w', 4, 3, 3, 3),
        scale(0.01, 0.02, 0.005, 0.01),
        zero('int8', 0, 0, 0, 0),
        scale(0.2),
        zero('uint8', 100),
        quantum('int32', 'b', [4], -5000, 5000),
      ],
      { attributes: { pads: [1, 1, 1, 1], strides: [2, 2] } },
    ),
  ],
  [
    1,
    call(
      'QLinearConv',
      [
        u8('x', 1, 4, 5, 5),
        scale(0.02),
        zero('uint8', 3),
        u8('w', 2, 2, 3, 3),
        scale(0.01),
        zero('uint8', 117),
        scale(0.2),
        zero('uint8', 100),
      ],
      { attributes: { group: 2 } },
    ),
  ],
  [
    0,
    call('ConvInteger', [u8('x', 1, 2, 5, 5), u8('w', 3, 2, 3, 3), zero('uint8', 7), zero('uint8', 100)], {
      types: ['int32'],
    }),
  ],
  [
    0,
    call('MatMulInteger', [u8('a', 3, 8), s8('b', 8, 4), zero('uint8', 7), zero('int8', 3)], {
      types: ['int32'],
    }),
  ],
  [0, call('MatMulInteger', [u8('a', 3, 8), u8('b', 8, 2)], { types: ['int32'] })],
  [
    0,
    call('MatMulInteger', [u8('a', 3, 8), s8('b', 8, 2), zero('uint8', 7), zero('int8', 3, -1)], {
      types: ['int32'],
      constant: [1, 2, 3],
    }),
  ],
  [
    1,
    call('QLinearMatMul', [
      u8('a', 2, 3, 8),
      scale(0.02),
      zero('uint8', 7),
      u8('b', 8, 4),
      scale(0.03),
      zero('uint8', 99),
      scale(0.4),
      zero('uint8', 128),
    ]),
  ],
  ...(['QLinearAdd', 'QLinearMul'] as const).map(
    (op) =>
      [
        1,
        ms(op, [
          u8('a', 2, 5),
          scale(0.02),
          zero('uint8', 7),
          u8('b', 5),
          scale(0.03),
          zero('uint8', 99),
          scale(0.06),
          zero('uint8', 50),
        ]),
      ] as const,
  ),
  [
    1,
    ms('QLinearLeakyRelu', [u8('x', 40), scale(0.02), zero('uint8', 128), scale(0.01), zero('uint8', 9)], {
      attributes: { alpha: float(0.1) },
    }),
  ],
  [1, ms('QLinearSigmoid', [u8('x', 40), scale(0.04), zero('uint8', 128), scale(1 / 256), zero('uint8', 0)])],
  [
    1,
    ms('QLinearSoftmax', [u8('x', 3, 5), scale(0.04), zero('uint8', 128), scale(1 / 256), zero('uint8', 0)], {
      attributes: { axis: -1, opset: 13 },
    }),
  ],
  [
    1,
    ms(
      'QLinearSoftmax',
      [u8('x', 2, 3, 5), scale(0.04), zero('uint8', 128), scale(1 / 256), zero('uint8', 0)],
      { attributes: { axis: 1, opset: 11 } },
    ),
  ],
  ...[0, 1].map(
    (channels_last) =>
      [
        1,
        ms(
          'QLinearGlobalAveragePool',
          [u8('x', 1, 4, 3, 5), scale(0.04), zero('uint8', 128), scale(0.02), zero('uint8', 99)],
          { attributes: { channels_last } },
        ),
      ] as const,
  ),
  [
    1,
    ms(
      'QLinearAveragePool',
      [u8('x', 1, 2, 5, 5), scale(0.04), zero('uint8', 128), scale(0.03), zero('uint8', 99)],
      { attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
    ),
  ],
  [
    1,
    ms(
      'QLinearConcat',
      [
        scale(0.05),
        zero('uint8', 90),
        u8('a', 2, 3),
        scale(0.04),
        zero('uint8', 128),
        u8('b', 2, 2),
        scale(0.02),
        zero('uint8', 8),
      ],
      { attributes: { axis: 1 } },
    ),
  ],
  [
    1e-4,
    ms(
      'MatMulIntegerToFloat',
      [u8('a', 3, 8), u8('b', 8, 4), scale(0.02), scale(0.01), zero('uint8', 7), zero('uint8', 100), x(4)],
      { types: ['float32'], constant: [1] },
    ),
  ],
  [
    1,
    ms(
      'QGemm',
      [
        u8('a', 3, 8),
        scale(0.02),
        zero('uint8', 7),
        s8('b', 4, 8),
        scale(0.01),
        zero('int8', 0),
        quantum('int32', 'c', [4], -900, 900),
        scale(0.1),
        zero('uint8', 50),
      ],
      { attributes: { transB: 1 }, constant: [3, 4, 5, 6] },
    ),
  ],
];

describe('quantised operators as float steps give the integers of the runtime', () => {
  const named = cases.map(
    ([apart, c]) =>
      [
        `${c.op} [${c.inputs.map((t) => t && `${t.dtype} ${t.dims.join('×')}`).join(', ')}] within ${apart}`,
        apart,
        c,
      ] as const,
  );
  it.each(named)('%s', async (_, apart, one) => {
    const { before, after, ops } = await bothWays(one);
    expect(ops).not.toContain(one.op);
    for (const [i, want] of before.entries()) {
      expect(after[i]!.type).toEqual(want.type);
      expect(after[i]!.dims).toEqual(want.dims);
      const far = Math.max(...want.data.map((v, k) => Math.abs(v - after[i]!.data[k]!)));
      expect(far).toBeLessThanOrEqual(want.type === 'float32' && apart === 0 ? 1e-7 : apart);
    }
  });
});

describe('the gradient of a quantisation', () => {
  const gradient = async (rounding: 'zero' | 'straight-through') => {
    const input = float32Tensor([4], [0.3, -50, 500, 1.1]);
    const { b, inputs, outputs } = specialise(
      oneNodeModel(call('QuantizeLinear', [input, scale(0.5), zero('uint8', 20)])),
    );
    const y = b.builder.producer(outputs.get('y0')!)!.inputs[0]!;
    const [g] = vjp(b, [{ value: y, grad: b.full([4], 1, 'float32') }], [inputs.get('x0')!], { rounding });
    const results = await runModel(b.builder.build({ g: g! }), {
      x0: input,
      x1: scale(0.5),
      x2: zero('uint8', 20),
    });
    return results.g!.data;
  };
  it('is zero', async () => expect(await gradient('zero')).toEqual([0, 0, 0, 0]));
  it('straight-through is one over the scale inside the range', async () =>
    expect(await gradient('straight-through')).toEqual([2, 0, 0, 2]));
});

it('quantised numbers join integer constants of the file, and outputs keep their integer type', async () => {
  const node = (op: string, inputs: string[], output: string, attributes = {}): Node => ({
    op,
    domain: '',
    name: op,
    inputs,
    outputs: [output],
    attributes: attributesFrom(attributes),
  });
  const model: Model = {
    ...oneNodeModel(call('Identity', [x(2, 3)])),
    graph: {
      name: 'mixed',
      inputs: [{ name: 'x', type: { kind: 'tensor', dtype: 'float32', dims: [2, 3] } }],
      outputs: [
        { name: 'joined', type: { kind: 'tensor', dtype: 'uint8', dims: undefined } },
        { name: 'y', type: { kind: 'tensor', dtype: 'float32', dims: undefined } },
      ],
      initializers: new Map([
        ['scale', scale(0.05)],
        ['zero', zero('uint8', 100)],
        ['more', u8('more', 2, 2)],
      ]),
      nodes: [
        node('QuantizeLinear', ['x', 'scale', 'zero'], 'q'),
        node('Concat', ['q', 'more'], 'joined', { axis: 1 }),
        node('Transpose', ['joined'], 't', { perm: [1, 0] }),
        node('DequantizeLinear', ['t', 'scale', 'zero'], 'y'),
      ],
      valueTypes: new Map(),
    },
  };
  const feeds = { x: x(2, 3) };
  const want = await runModel(model, feeds);
  const got = await runModel(specialised(model).model, feeds);
  expect(got.joined_new).toEqual(want.joined);
  expect(got.y_new!.dims).toEqual([5, 2]);
  expect(distance(want.y!, got.y_new!)).toBeLessThan(1e-7);
});
