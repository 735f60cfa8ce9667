import { describe, expect, it } from 'vitest';
import { float } from '../../../onnx/attributes.ts';
import { boolTensor, float32Tensor, int64Tensor, type Tensor, tensorFrom } from '../../../onnx/tensor.ts';
import { expectGradients } from '../../finite-difference.fixture.ts';
import {
  bothWays,
  distance,
  type OneNode,
  oneNodeModel,
  randomTensor,
  runModel,
  specialised,
} from '../../one-node.fixture.ts';

const r = (seed: string, ...dims: number[]) => randomTensor(seed, dims);
const on = (inputs: readonly (Tensor | null)[], rest: Partial<OneNode> = {}): OneNode => ({
  op: 'Attention',
  opset: 23,
  inputs,
  ...rest,
});
const bools = (dims: readonly number[], keep: (i: number) => boolean) =>
  boolTensor(
    dims,
    Array.from({ length: dims.reduce((n, d) => n * d, 1) }, (_, i) => keep(i)),
  );
const ms = (op: string, inputs: readonly (Tensor | null)[], rest: Partial<OneNode> = {}): OneNode => ({
  op,
  domain: 'com.microsoft',
  opset: 21,
  inputs,
  ...rest,
});
const int32 = (...values: number[]) => tensorFrom('int32', [values.length], values);

const four = [r('q', 2, 3, 4, 8), r('k', 2, 3, 5, 8), r('v', 2, 3, 5, 6)];
const three = [r('q', 2, 4, 12), r('k', 2, 5, 12), r('v', 2, 5, 9)];
const HEADS = { q_num_heads: 3, kv_num_heads: 3 };
const angles = (rows: number, half: number, f: (x: number) => number) =>
  float32Tensor(
    [rows, half],
    Array.from({ length: rows * half }, (_, i) => f(i * 0.37)),
  );

const cases: readonly (readonly [string, OneNode])[] = [
  ['4-D', on(four)],
  ['3-D', on(three, { attributes: HEADS })],
  ['grouped heads', on([r('q', 1, 4, 3, 8), r('k', 1, 2, 5, 8), r('v', 1, 2, 5, 8)])],
  [
    'one key head',
    on([r('q', 1, 3, 12), r('k', 1, 5, 4), r('v', 1, 5, 4)], {
      attributes: { q_num_heads: 3, kv_num_heads: 1 },
    }),
  ],
  ['scale and softcap', on(four, { attributes: { scale: float(0.5), softcap: float(2) } })],
  ['float mask', on([...four, r('m', 4, 5)])],
  ['float mask a head', on([...four, r('m', 2, 3, 4, 5)])],
  ['bool mask', on([...four, bools([4, 5], (i) => i % 3 !== 1)])],
  ['causal', on(four, { attributes: { is_causal: 1 } })],
  [
    'causal with a mask',
    on([...four, bools([2, 1, 4, 5], (i) => i % 4 !== 1)], { attributes: { is_causal: 1 } }),
  ],
  ['past', on([...four, null, r('pk', 2, 3, 2, 8), r('pv', 2, 3, 2, 6)], { outputs: 3 })],
  [
    'past, causal, 3-D',
    on([...three, null, r('pk', 2, 3, 2, 4), r('pv', 2, 3, 2, 3)], {
      outputs: 3,
      attributes: { ...HEADS, is_causal: 1 },
    }),
  ],
  ...[0, 1, 2, 3].map(
    (mode) =>
      [
        `scores of mode ${mode}`,
        {
          ...on([...four, r('m', 4, 5)], {
            outputs: 4,
            attributes: { qk_matmul_output_mode: mode, softcap: float(3) },
          }),
          opset: 24,
        },
      ] as const,
  ),
  ['lengths', { ...on([...four, null, null, null, int64Tensor([2], [3, 5])]), opset: 24 }],
  [
    'rotary 4-D',
    {
      op: 'RotaryEmbedding',
      opset: 23,
      inputs: [
        r('x', 2, 3, 4, 8),
        angles(9, 4, Math.cos),
        angles(9, 4, Math.sin),
        int64Tensor([2, 4], [0, 1, 2, 3, 5, 6, 7, 8]),
      ],
    },
  ],
  [
    'rotary 3-D without positions',
    {
      op: 'RotaryEmbedding',
      opset: 23,
      attributes: { num_heads: 3 },
      inputs: [r('x', 2, 4, 24), r('c', 2, 4, 4), r('s', 2, 4, 4)],
    },
  ],
  [
    'rotary interleaved',
    {
      op: 'RotaryEmbedding',
      opset: 23,
      attributes: { interleaved: 1 },
      inputs: [r('x', 2, 3, 4, 8), r('c', 2, 4, 4), r('s', 2, 4, 4)],
    },
  ],
  [
    'rotary of some features',
    {
      op: 'RotaryEmbedding',
      opset: 23,
      attributes: { rotary_embedding_dim: 4 },
      inputs: [r('x', 2, 3, 4, 8), r('c', 2, 4, 2), r('s', 2, 4, 2)],
    },
  ],
  [
    'com.microsoft rotary',
    ms('RotaryEmbedding', [
      r('x', 2, 4, 24),
      int64Tensor([2, 4], [0, 1, 2, 3, 5, 6, 7, 8]),
      angles(9, 4, Math.cos),
      angles(9, 4, Math.sin),
    ]),
  ],
  [
    'com.microsoft rotary from an offset',
    ms(
      'RotaryEmbedding',
      [r('x', 2, 3, 4, 8), int64Tensor([1], [2]), angles(9, 4, Math.cos), angles(9, 4, Math.sin)],
      { attributes: { interleaved: 1 } },
    ),
  ],
  [
    'com.microsoft attention',
    ms('Attention', [r('x', 2, 4, 6), r('w', 6, 24), r('b', 24)], {
      attributes: { num_heads: 2 },
      constant: [1, 2],
    }),
  ],
  [
    'com.microsoft attention, causal',
    ms('Attention', [r('x', 2, 4, 6), r('w', 6, 24), r('b', 24)], {
      attributes: { num_heads: 2, unidirectional: 1 },
      constant: [1, 2],
    }),
  ],
  [
    'com.microsoft attention with lengths',
    ms('Attention', [r('x', 2, 4, 6), r('w', 6, 24), r('b', 24), int32(4, 2)], {
      attributes: { num_heads: 2 },
      constant: [1, 2],
    }),
  ],
  [
    'com.microsoft attention with a mask',
    ms(
      'Attention',
      [r('x', 2, 4, 6), r('w', 6, 24), r('b', 24), tensorFrom('int32', [2, 4], [1, 1, 0, 1, 1, 1, 1, 0])],
      { attributes: { num_heads: 2, scale: float(0.3) }, constant: [1, 2] },
    ),
  ],
  [
    'com.microsoft attention with a past',
    ms('Attention', [r('x', 2, 4, 6), r('w', 6, 24), r('b', 24), null, r('p', 2, 2, 2, 3, 4)], {
      outputs: 2,
      attributes: { num_heads: 2 },
      constant: [1, 2],
    }),
  ],
  [
    'multi-head',
    ms('MultiHeadAttention', [r('q', 2, 4, 12), r('k', 2, 5, 12), r('v', 2, 5, 9)], {
      attributes: { num_heads: 3 },
    }),
  ],
  [
    'multi-head with bias and mask',
    ms(
      'MultiHeadAttention',
      [
        r('q', 2, 4, 12),
        r('k', 2, 5, 12),
        r('v', 2, 5, 9),
        r('b', 33),
        tensorFrom('int32', [2, 5], [1, 1, 0, 1, 1, 1, 1, 0, 0, 1]),
      ],
      { attributes: { num_heads: 3 } },
    ),
  ],
  [
    'multi-head with attention bias',
    ms(
      'MultiHeadAttention',
      [r('q', 2, 4, 12), r('k', 2, 5, 12), r('v', 2, 5, 12), null, null, r('m', 1, 3, 4, 5)],
      { attributes: { num_heads: 3 } },
    ),
  ],
  [
    'multi-head, causal',
    ms('MultiHeadAttention', [r('q', 2, 4, 12), r('k', 2, 4, 12), r('v', 2, 4, 12)], {
      attributes: { num_heads: 3, unidirectional: 1 },
    }),
  ],
  [
    'multi-head, keys by head',
    ms('MultiHeadAttention', [r('q', 2, 4, 12), r('k', 2, 3, 5, 4), r('v', 2, 3, 5, 4)], {
      attributes: { num_heads: 3 },
    }),
  ],
  [
    'grouped queries',
    ms(
      'GroupQueryAttention',
      [r('q', 2, 4, 32), r('k', 2, 4, 16), r('v', 2, 4, 16), null, null, int32(3, 3), int32(4)],
      { outputs: 3, attributes: { num_heads: 4, kv_num_heads: 2 }, constant: [6] },
    ),
  ],
  [
    'grouped queries with rotary',
    ms(
      'GroupQueryAttention',
      [
        r('q', 2, 4, 64),
        r('k', 2, 4, 32),
        r('v', 2, 4, 32),
        null,
        null,
        int32(3, 3),
        int32(4),
        angles(8, 8, Math.cos),
        angles(8, 8, Math.sin),
      ],
      { outputs: 3, attributes: { num_heads: 4, kv_num_heads: 2, do_rotary: 1 }, constant: [6] },
    ),
  ],
  [
    'grouped queries, window',
    ms(
      'GroupQueryAttention',
      [r('q', 1, 6, 16), r('k', 1, 6, 16), r('v', 1, 6, 16), null, null, int32(5), int32(6)],
      {
        outputs: 3,
        attributes: { num_heads: 2, kv_num_heads: 2, local_window_size: 2, softcap: float(2) },
        constant: [6],
      },
    ),
  ],
];

describe('attention as primitives equals the runtime', () => {
  it.each(cases)('%s', async (_, call) => {
    const { before, after, ops } = await bothWays(call);
    expect(ops).not.toContain(call.op);
    for (const [i, want] of before.entries()) {
      expect(after[i]!.dims).toEqual(want.dims);
      expect(distance(want, after[i]!)).toBeLessThan(3e-6);
    }
  });
});

it('packed queries, keys and values mean the same (the runtime has them on a GPU only)', async () => {
  const qkv = r('qkv', 2, 4, 3, 3, 4);
  const kv = r('kv', 2, 4, 3, 2, 4);
  const part = (t: Tensor, parts: number, i: number): Tensor => {
    const values = new Float32Array(t.data.buffer, t.data.byteOffset, t.data.byteLength / 4);
    return float32Tensor(
      [2, 4, 12],
      values.filter((_, j) => Math.floor(j / 4) % parts === i),
    );
  };
  const run = async (...inputs: Tensor[]) => {
    const model = oneNodeModel(ms('MultiHeadAttention', inputs, { attributes: { num_heads: 3 } }));
    const feeds = Object.fromEntries(inputs.map((t, i) => [`x${i}`, t]));
    return (await runModel(specialised(model).model, feeds)).y0_new!;
  };
  const want = await run(part(qkv, 3, 0), part(qkv, 3, 1), part(qkv, 3, 2));
  expect(distance(want, await run(qkv))).toBeLessThan(1e-6);
  const wanted = await run(part(qkv, 3, 0), part(kv, 2, 0), part(kv, 2, 1));
  expect(distance(wanted, await run(part(qkv, 3, 0), kv))).toBeLessThan(1e-6);
});

it('a query that may see nothing gives zeros, not NaN', async () => {
  const call = on([...four, bools([4, 5], (i) => i >= 5)]);
  const { after } = await bothWays(call);
  expect(after[0]!.data.slice(0, 6)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(after[0]!.data.every(Number.isFinite)).toBe(true);
});

it('has gradients for queries, keys and values', async () => {
  const f = (seed: string, ...dims: number[]) => randomTensor(seed, dims, -1, 1, 'float64');
  const call = on([f('q', 1, 4, 3, 4), f('k', 1, 2, 5, 4), f('v', 1, 2, 5, 4), f('m', 3, 5)], {
    attributes: { is_causal: 1, softcap: float(2) },
    types: ['float64'],
  });
  await expectGradients(call, [0, 1, 2, 3]);
});

it('says what it does not support', () => {
  const windowed = { ...on(four, { attributes: { left_window_size: 2 } }), opset: 25 };
  expect(() => specialised(oneNodeModel(windowed))).toThrow(/left_window_size/);
});
