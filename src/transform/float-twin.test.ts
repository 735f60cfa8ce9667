import { afterAll, expect, it } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import type { Model } from '../onnx/model.ts';
import { numbersOf, tensorFrom } from '../onnx/tensor.ts';
import { f32 } from '../runtime/array.ts';
import { startEngine } from '../runtime/engine.ts';
import { floatTwin, quantisedOperators } from './float-twin.ts';
import { opsOn } from './ops.ts';

const engine = startEngine({ threads: 1 });
afterAll(() => engine.close());

const INTEGERS = [10, -20, 30, 40, -50, 60];

/** `x W` in QDQ form: activations in 8 bits before and after, weights with a scale for each output. */
function quantised(): Model {
  const b = opsOn(new GraphBuilder());
  const x = b.builder.input('x', 'float32', [2, 3]);
  const zero = b.builder.constant(tensorFrom('uint8', [], [128]), 'zero');
  const rounded = (v: typeof x) => {
    const scale = b.scalar(0.02, 'float32');
    return b.node('DequantizeLinear', [b.node('QuantizeLinear', [v, scale, zero]), scale, zero]);
  };
  // An input while it is built, so that the builder does not compute the weights itself.
  const held = b.builder.input('w', 'int8', [3, 2]);
  const scales = b.builder.constant(tensorFrom('float32', [2], [0.01, 0.02]), 'scales');
  const none = b.builder.constant(tensorFrom('int8', [2], [0, 10]), 'none');
  const w = b.node('DequantizeLinear', [held, scales, none], { axis: 1 });
  const { graph, ...rest } = b.builder.build({ y: rounded(b.matmul(rounded(x), w)) });
  return {
    ...rest,
    graph: {
      ...graph,
      inputs: graph.inputs.filter(({ name }) => name !== 'w'),
      initializers: new Map([...graph.initializers, ['w', tensorFrom('int8', [3, 2], INTEGERS)]]),
    },
  };
}

it('gives weights as what their integers mean, and answers like the quantised model up to its rounding', async () => {
  const model = quantised();
  const twin = floatTwin(model);
  expect([...quantisedOperators(model)].sort()).toEqual(['DequantizeLinear', 'QuantizeLinear']);
  expect(quantisedOperators(twin)).toEqual([]);
  const [weight] = [...twin.graph.initializers.values()];
  const real = INTEGERS.map((q, i) => (i % 2 === 0 ? q * 0.01 : (q - 10) * 0.02));
  for (const [i, v] of Array.from(numbersOf(weight!)).entries()) expect(v).toBeCloseTo(real[i]!, 6);
  const answers = await Promise.all(
    [model, twin].map(async (each) => {
      const session = await engine.open(each);
      const { y } = await session.run({ x: f32(Float32Array.of(1, -0.5, 0.3, 0.7, 0.2, -1), [2, 3]) });
      await session.close();
      return y!.data as Float32Array;
    }),
  );
  for (const [i, v] of answers[0]!.entries()) expect(Math.abs(v - answers[1]![i]!)).toBeLessThan(0.05);
});

it('refuses models that are quantised in another form', () => {
  const model = quantised();
  const other: Model = {
    ...model,
    graph: {
      ...model.graph,
      nodes: model.graph.nodes.map((node) =>
        node.op === 'MatMul' ? { ...node, op: 'MatMulInteger' } : node,
      ),
    },
  };
  expect(() => floatTwin(other)).toThrow(/got MatMulInteger; take the float model/);
});
