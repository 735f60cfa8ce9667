import { describe, expect, it } from 'vitest';
import { GraphBuilder, type Value } from './graph-builder.ts';
import { runInRuntime } from './ort.fixture.ts';
import { RANDOM_OPERATORS } from './random-operators.ts';
import { boolTensor, float32Tensor } from './tensor.ts';

describe('GraphBuilder', () => {
  it('makes equal nodes once and computes constant ones at once', () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [2]);
    const one = builder.constant(float32Tensor([], [1]));
    expect(builder.add('Add', [x, one])[0]).toBe(builder.add('Add', [x, one])[0]);
    const two = builder.add('Add', [one, one])[0]!;
    expect(two.data).toBeDefined();
    expect(builder.nodes).toHaveLength(1);
  });

  it('never merges nor folds draws, whatever they are made of', async () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [64]);
    const constant = builder.constant(float32Tensor([64], new Float32Array(64).fill(0.5)));
    const ratio = builder.constant(float32Tensor([], [0.5]));
    const training = builder.constant(boolTensor([], [true]));
    const shaped = { shape: [64] };
    const draws: Record<string, () => Value> = {
      RandomNormal: () => builder.add('RandomNormal', [], shaped)[0]!,
      RandomUniform: () => builder.add('RandomUniform', [], shaped)[0]!,
      RandomNormalLike: () => builder.add('RandomNormalLike', [constant])[0]!,
      RandomUniformLike: () => builder.add('RandomUniformLike', [constant])[0]!,
      Bernoulli: () => builder.add('Bernoulli', [constant])[0]!,
      Dropout: () => builder.add('Dropout', [constant, ratio, training], {}, { outputs: 2 })[0]!,
      Multinomial: () => {
        const scores = builder.constant(float32Tensor([1, 64], new Float32Array(64)));
        const drawn = builder.add('Multinomial', [scores], { sample_size: 64 })[0]!;
        return builder.add('Cast', [drawn], { to: 1 })[0]!;
      },
    };
    expect(Object.keys(draws).sort()).toEqual([...RANDOM_OPERATORS].sort());
    // Two draws of the same kind: where one node stood for both, or one was computed here, the difference would be zero.
    const outputs = Object.entries(draws).map(([op, draw]) => {
      const [one, other] = [draw(), draw()];
      expect(one.name).not.toBe(other.name);
      expect(one.data ?? other.data).toBeUndefined();
      return [op, builder.add('Sub', [one, other])[0]!] as const;
    });
    const model = builder.build({ ...Object.fromEntries(outputs), same: builder.add('Sub', [x, x])[0]! });
    const results = await runInRuntime(model, { x: { dims: [64], data: new Float32Array(64) } });
    for (const op of Object.keys(draws))
      expect(
        results[op]!.data.some((v) => v !== 0),
        op,
      ).toBe(true);
    expect(results.same!.data.every((v) => v === 0)).toBe(true);
  });

  it('leaves out what no output needs', () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [2]);
    builder.add('Exp', [x]);
    const model = builder.build({ y: builder.add('Neg', [x])[0]! });
    expect(model.graph.nodes.map((n) => n.op)).toEqual(['Neg']);
  });

  it('gives inputs and values under two names by copies, and nothing else', async () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [2]);
    const negative = builder.add('Neg', [x])[0]!;
    const model = builder.build({
      first: negative,
      second: negative,
      same: x,
      sum: builder.add('Add', [x, negative])[0]!,
    });
    expect(model.graph.nodes.map((n) => n.op)).toEqual(['Neg', 'Add', 'Identity', 'Identity']);
    expect(model.graph.outputs.map((o) => o.name)).toEqual(['first', 'second', 'same', 'sum']);
    const results = await runInRuntime(model, { x: { dims: [2], data: Float32Array.from([1, 2]) } });
    expect(Object.values(results).map((r) => r.data)).toEqual([
      [-1, -2],
      [-1, -2],
      [1, 2],
      [0, 0],
    ]);
  });

  it('lets outputs swap their names with inner values', async () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [1]);
    const one = builder.add('Neg', [x])[0]!;
    const two = builder.add('Exp', [one])[0]!;
    const model = builder.build({ [one.name]: two, [two.name]: one });
    const results = await runInRuntime(model, { x: { dims: [1], data: Float32Array.of(0) } });
    expect(results[one.name]!.data).toEqual([1]);
    expect(results[two.name]!.data[0]! + 0).toBe(0);
  });

  it('gives outputs their names even where constants or inner values have them', async () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [2]);
    const three = builder.constant(float32Tensor([2], [3, 3]), 'loss');
    const sum = builder.add('Add', [x, three], {}, { name: 'next' })[0]!;
    const double = builder.add('Add', [sum, sum])[0]!;
    const model = builder.build({ loss: double, next_out: three, c: sum });
    const results = await runInRuntime(model, { x: { dims: [2], data: Float32Array.from([1, 2]) } });
    expect(results.loss!.data).toEqual([8, 10]);
    expect(results.next_out!.data).toEqual([3, 3]);
    expect(results.c!.data).toEqual([4, 5]);
  });

  it('refuses an output that has the name of an input', () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [2]);
    expect(() => builder.build({ x: builder.add('Neg', [x])[0]! })).toThrow(/names an input and an output/);
  });
});
