import { describe, expect, it } from 'vitest';
import type { DType } from '../../../onnx/dtype.ts';
import { numbersOf, type Tensor, tensorFrom } from '../../../onnx/tensor.ts';
import { vjp } from '../../gradient/vjp.ts';
import {
  bothWays,
  distance,
  type OneNode,
  oneNodeModel,
  randomTensor,
  runModel,
} from '../../one-node.fixture.ts';
import { specialise } from '../../specialise.ts';

const [T, B, I, H] = [5, 2, 3, 4];

interface Kind {
  readonly dtype: DType;
  readonly directions: 1 | 2;
  readonly perChannel: boolean;
}

/** Integers, and where zero lies, of weights between about −0.5 and 0.5. */
function integers({ dtype, directions, perChannel }: Kind, name: string, size: number) {
  const unsigned = dtype === 'uint8';
  const dims = [directions, size, 4 * H];
  const values = numbersOf(randomTensor(name, dims, unsigned ? 0 : -100, unsigned ? 255 : 100));
  const per = perChannel ? [directions, 4 * H] : [directions];
  const count = per.reduce((n, d) => n * d, 1);
  return {
    weights: tensorFrom(dtype, dims, Array.from(values, Math.round)),
    scale: tensorFrom(
      'float32',
      per,
      Array.from({ length: count }, (_, i) => 0.004 + 0.0003 * (i % 5)),
    ),
    zero: tensorFrom(
      dtype,
      per,
      Array.from({ length: count }, () => (unsigned ? 120 : 0)),
    ),
  };
}

function call(kind: Kind): OneNode {
  const w = integers(kind, 'W', I);
  const r = integers(kind, 'R', H);
  const bias = randomTensor('B', [kind.directions, 8 * H], -0.5, 0.5);
  const state = (name: string): Tensor => randomTensor(name, [kind.directions, B, H]);
  return {
    op: 'DynamicQuantizeLSTM',
    domain: 'com.microsoft',
    opset: 14,
    inputs: [
      ...[
        randomTensor('X', [T, B, I], -2, 2),
        w.weights,
        r.weights,
        bias,
        null,
        state('h'),
        state('c'),
        null,
      ],
      ...[w.scale, w.zero, r.scale, r.zero],
    ],
    constant: [1, 2, 3, 8, 9, 10, 11],
    outputs: 3,
    attributes: { hidden_size: H, direction: kind.directions === 2 ? 'bidirectional' : 'forward' },
  };
}

describe('DynamicQuantizeLSTM in float steps', () => {
  it.each<Kind>([
    { dtype: 'uint8', directions: 1, perChannel: false },
    { dtype: 'int8', directions: 2, perChannel: false },
    { dtype: 'int8', directions: 2, perChannel: true },
  ])('equals the runtime to a step of 8 bits: %o', async (kind) => {
    const { before, after, ops } = await bothWays(call(kind));
    expect(ops).not.toContain('DynamicQuantizeLSTM');
    for (const [i, want] of before.entries()) {
      expect(after[i]!.dims).toEqual(want.dims);
      expect(distance(want, after[i]!)).toBeLessThan(5e-3);
    }
  });

  it('has a gradient straight-through: most inputs get one of a size that an attack can use', async () => {
    const one = call({ dtype: 'int8', directions: 1, perChannel: false });
    const { b, inputs, outputs } = specialise(oneNodeModel(one));
    const y = outputs.get('y0')!;
    const cotangent = { value: y, grad: b.full(y.dims, 1, 'float32') };
    const [g] = vjp(b, [cotangent], [inputs.get('x0')!], { rounding: 'straight-through' });
    const feeds = { x0: one.inputs[0]!, x5: one.inputs[5]!, x6: one.inputs[6]! };
    const straight = (await runModel(b.builder.build({ g: g! }), feeds)).g!.data;
    expect(straight.filter((v) => Math.abs(v) > 1e-3).length).toBeGreaterThan((T * B * I) / 2);
    expect(straight.every(Number.isFinite)).toBe(true);
  });
});
