import { describe, expect, it } from 'vitest';
import { float32Tensor, tensorFrom } from '../../../onnx/tensor.ts';
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

interface Kind {
  readonly bits: 4 | 8;
  readonly K: number;
  readonly zeros: 'none' | 'packed' | 'float';
  readonly bias?: boolean;
}

const [N, SIZE] = [3, 16];

function call({ bits, K, zeros, bias = false }: Kind): OneNode {
  const blocks = Math.ceil(K / SIZE);
  const bytes = (count: number, step: number) =>
    Array.from({ length: count }, (_, i) => (i * step + 11) % 256);
  const blob = (SIZE * bits) / 8;
  const packed = Math.ceil((blocks * bits) / 8);
  const zero = {
    none: null,
    packed: tensorFrom('uint8', [N * packed], bytes(N * packed, 37)),
    float: randomTensor('z', [N, blocks], 6, 9),
  }[zeros];
  return {
    op: 'MatMulNBits',
    domain: 'com.microsoft',
    opset: 17,
    inputs: [
      randomTensor('x', [2, 5, K], -1, 1),
      tensorFrom('uint8', [N, blocks, blob], bytes(N * blocks * blob, 89)),
      float32Tensor(
        [N * blocks],
        Float32Array.from({ length: N * blocks }, (_, i) => 0.01 + 0.002 * i),
      ),
      ...(zero || bias ? [zero] : []),
      ...(bias ? [null, randomTensor('b', [N])] : []),
    ],
    constant: [1, 2, 3],
    attributes: { K, N, bits, block_size: SIZE },
  };
}

describe('MatMulNBits as a product with floats equals the runtime', () => {
  it.each<Kind>([
    { bits: 4, K: 32, zeros: 'none' },
    { bits: 4, K: 48, zeros: 'packed' },
    { bits: 4, K: 40, zeros: 'packed' },
    { bits: 4, K: 48, zeros: 'float' },
    { bits: 4, K: 32, zeros: 'packed', bias: true },
    { bits: 8, K: 32, zeros: 'none' },
    { bits: 8, K: 40, zeros: 'packed' },
  ])('%o', async (kind) => {
    const { before, after, ops } = await bothWays(call(kind));
    expect(ops).toContain('MatMul');
    expect(after[0]!.dims).toEqual(before[0]!.dims);
    expect(distance(before[0]!, after[0]!)).toBeLessThan(1e-5);
  });

  it('has the gradient of that product', async () => {
    const one = call({ bits: 4, K: 32, zeros: 'none' });
    const { b, inputs, outputs } = specialise(oneNodeModel(one));
    const y = outputs.get('y0')!;
    const [g] = vjp(b, [{ value: y, grad: b.full(y.dims, 1, 'float32') }], [inputs.get('x0')!]);
    const { data } = (await runModel(b.builder.build({ g: g!, y }), { x0: one.inputs[0]! })).g!;
    // The first element's gradient is the sum of its weights: the lowest 4 bits of each column's first block.
    const [bytes, scales] = [one.inputs[1]!.data, new Float32Array(one.inputs[2]!.data.slice().buffer)];
    const want = [0, 1, 2].reduce((sum, n) => sum + ((bytes[n * 16]! & 15) - 8) * scales[n * 2]!, 0);
    expect(data[0]).toBeCloseTo(want, 5);
  });

  it('refuses sizes that contradict each other', () => {
    const one = call({ bits: 4, K: 32, zeros: 'none' });
    const model = oneNodeModel({ ...one, attributes: { ...one.attributes, N: 2 } });
    expect(() => specialise(model)).toThrow(/expected steps for \[32, 2\] in blocks of 16/);
  });
});
