import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graph, model, node, value } from '../onnx/model.fixture.ts';
import { toBfloat16Bits, toFloat16Bits } from '../onnx/tensor.ts';
import { f32 } from '../runtime/array.ts';
import { type Engine, startEngine } from '../runtime/engine.ts';
import { float32Inside } from './float32-inside.ts';

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

/** `y = 2x + 1` in a 16-bit type. */
const narrow = (dtype: 'float16' | 'bfloat16', bits: (value: number) => number) =>
  model(
    graph({
      inputs: [value('x', ['n'], dtype)],
      outputs: [value('y', ['n'], dtype)],
      valueTypes: new Map([['y', value('y', ['n'], dtype).type]]),
      nodes: [node('Mul', ['x', 'two'], ['z']), node('Add', ['z', 'one'], ['y'])],
      initializers: {
        two: { dtype, dims: [], data: new Uint8Array(Uint16Array.of(bits(2)).buffer) },
        one: { dtype, dims: [], data: new Uint8Array(Uint16Array.of(bits(1)).buffer) },
      },
    }),
  );

describe('a model of 16-bit floats', () => {
  it('takes and gives float16 and computes in float32', async () => {
    const { model: made, widened } = float32Inside(narrow('float16', toFloat16Bits));
    expect(widened).toEqual([]);
    expect([...made.graph.initializers.values()].map(({ dtype }) => dtype)).toEqual(['float32', 'float32']);
    const session = await engine.open(made);
    const { y } = await session.run({
      x: { dtype: 'float16', dims: [2], data: Uint16Array.of(toFloat16Bits(0.5), toFloat16Bits(-3)) },
    });
    expect(y).toEqual({
      dtype: 'float16',
      dims: [2],
      data: Uint16Array.of(toFloat16Bits(2), toFloat16Bits(-5)),
    });
    await session.close();
  });

  it('says which ends were bfloat16 and are float32 now', async () => {
    const { model: made, widened } = float32Inside(narrow('bfloat16', toBfloat16Bits));
    expect(widened).toEqual([
      { name: 'x', role: 'input', was: 'bfloat16' },
      { name: 'y', role: 'output', was: 'bfloat16' },
    ]);
    const session = await engine.open(made);
    expect((await session.run({ x: f32(Float32Array.of(3), [1]) })).y).toEqual(f32(Float32Array.of(7), [1]));
    await session.close();
  });

  it('is left alone where there are none', () => {
    const plain = model(
      graph({ inputs: [value('x')], outputs: [value('y')], nodes: [node('Relu', ['x'], ['y'])] }),
    );
    expect(float32Inside(plain).model).toBe(plain);
  });
});
