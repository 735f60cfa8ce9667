import { afterAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { parseModel } from '../../onnx/read.ts';
import { elementCount, numbersOf } from '../../onnx/tensor.ts';
import { serializeModel } from '../../onnx/write.ts';
import { f32 } from '../../runtime/array.ts';
import { startEngine } from '../../runtime/engine.ts';
import { trainableParameters } from '../parameters.ts';
import { constant } from '../schedule.ts';
import { train } from '../trainer.ts';
import { buildRecipe, describeRecipe, planRecipe, RECIPES, usualRecipe } from './registry.ts';

const engine = startEngine({ threads: 1 });
afterAll(() => engine.close());

/** Samples whose class shows in the mean of their first third. */
function samples(dims: readonly number[], n: number) {
  const rng = randomFrom(1, 'recipes');
  const size = elementCount(dims);
  const y = Uint8Array.from({ length: n }, () => rng.integer(3));
  const x = Float32Array.from({ length: n * size }, (_, i) => {
    const isCue = i % size < Math.max(1, size / 3);
    return (isCue ? y[Math.floor(i / size)]! / 3 : 0) + rng.uniform() / 3;
  });
  return { x, y };
}

/** Every recipe in small, and forms of it that differ. */
const SMALL: readonly (readonly [text: string, dims: readonly number[]])[] = [
  ['cnn(channels=4 6, hidden=8, dropout=0.1)', [2, 8, 8]],
  ['cnn(channels=4 6, hidden=8, activation=tanh)', [2, 8, 8]],
  ['cnn(channels=4, hidden=none, kernel=5, stride=2)', [1, 12, 12]],
  ['cnn(channels=4 8, hidden=8, kernel=4, stride=2, pooling=none)', [1, 12, 12]],
  ['gru(hidden=8)', [6, 4]],
  ['gru(hidden=6, layers=2, direction=both)', [5, 3]],
  ['mlp(hidden=16 8, activation=tanh)', [10]],
  ['mlp(hidden=12, activation=gelu, dropout=0.1)', [2, 4, 4]],
  ['opacus-cnn', [1, 16, 16]],
  ['opacus-cnn(activation=tanh)', [1, 16, 16]],
  ['resnet(depth=8, width=4)', [3, 8, 8]],
  ['resnet(depth=8, width=4, norm=group, groups=2)', [3, 8, 8]],
  ['small-cnn(dropout=0.1)', [1, 20, 20]],
  ['vit(patch=4, width=16, depth=2, heads=2)', [1, 8, 8]],
  ['vit(patch=4, width=16, depth=1, heads=4, pool=mean, dropout=0.1)', [3, 8, 8]],
];

describe('every recipe', () => {
  it('is tried here, and says what each option means', () => {
    const tried = new Set(SMALL.map(([text]) => planRecipe(text).recipe.id));
    expect([...tried]).toEqual(RECIPES.map(({ id }) => id));
    for (const { id, use, defaults, explained } of RECIPES) {
      expect(Object.keys(explained), id).toEqual(Object.keys(defaults));
      expect(use.length, id).toBeGreaterThan(20);
    }
  });

  it.each(SMALL)('%s learns, and is a plain model with a free batch', async (text, dims) => {
    const centre = { mean: [0.3], std: [0.2] };
    const start = buildRecipe(planRecipe(text), { input: dims, outputs: 3, seed: 1, centre });
    expect(start.graph.nodes.every(({ domain }) => domain === '')).toBe(true);
    const { model, epochs } = await train(engine, start, samples(dims, 48), {
      epochs: 6,
      batch: 16,
      schedule: constant({ peak: 0.01 }),
      seed: 1,
    });
    expect(epochs.at(-1)!.loss).toBeLessThan(0.9 * epochs[0]!.loss);
    // Every weight was found and moved.
    const still = trainableParameters(start).filter((name) => {
      const [before, after] = [start, model].map(({ graph }) => numbersOf(graph.initializers.get(name)!));
      return before!.every((v, i) => v === after![i]);
    });
    expect(still).toEqual([]);
    const file = parseModel(serializeModel(model));
    const session = await engine.open(serializeModel(file), { optimise: 'disabled' });
    const { x } = samples(dims, 4);
    const run = async (from: number, to: number) => {
      const part = x.slice((from * x.length) / 4, (to * x.length) / 4);
      const { logits } = await session.run({ input: f32(part, [to - from, ...dims]) });
      expect(logits!.dims).toEqual([to - from, 3]);
      return Array.from(logits!.data as Float32Array);
    };
    const [all, one] = [await run(0, 3), await run(2, 3)];
    for (const [k, v] of one.entries()) expect(v).toBeCloseTo(all[6 + k]!, 4);
    await session.close();
  });

  it('has the same bytes for the same seed only', () => {
    for (const [text, dims] of SMALL) {
      const bytes = (seed: number) =>
        Buffer.from(serializeModel(buildRecipe(planRecipe(text), { input: dims, outputs: 3, seed })));
      expect(bytes(1).equals(bytes(1)), text).toBe(true);
      expect(bytes(1).equals(bytes(2)), text).toBe(false);
    }
  });
});

describe('published networks', () => {
  it.each([
    ['small-cnn', [1, 28, 28], 312_202],
    ['opacus-cnn', [1, 28, 28], 26_010],
    ['resnet(depth=20)', [3, 32, 32], 272_474],
  ])('%s has as many weights as published', (text, input, count) => {
    const model = buildRecipe(planRecipe(text), { input, outputs: 10, seed: 1 });
    const weights = trainableParameters(model).map((name) => model.graph.initializers.get(name)!.dims);
    expect(weights.reduce((sum, dims) => sum + elementCount(dims), 0)).toBe(count);
  });
});

describe('planRecipe', () => {
  it('merges options, and writes them as it reads them', () => {
    expect(describeRecipe(planRecipe('cnn(channels=16)'))).toBe(
      'cnn(channels=16, hidden=128, kernel=3, stride=1, pooling=max, activation=relu, dropout=0)',
    );
    const all = describeRecipe(planRecipe('resnet(norm=group, depth=14)'));
    expect(describeRecipe(planRecipe(all))).toBe(all);
  });

  it.each([
    [[3, 32, 32], 'cnn'],
    [[1, 2, 2], 'mlp'],
    [[20, 4], 'gru'],
    [[9], 'mlp'],
  ])('finds the usual one for samples of %j', (dims, id) => {
    expect(usualRecipe(dims).recipe.id).toBe(id);
  });

  it.each([
    ['cnm', [1, 8, 8], 'option/unknown', "did you mean 'cnn'"],
    ['cnn(chanels=4)', [1, 8, 8], 'option/unknown', "did you mean 'channels'"],
    ['cnn, mlp', [1, 8, 8], 'option/invalid', 'expected one'],
    ['cnn(channels=4 x)', [1, 8, 8], 'option/invalid', 'sizes'],
    ['cnn(channels=4 4 4 4)', [1, 8, 8], 'data/mismatch', 'fewer stages'],
    ['cnn', [9], 'data/mismatch', 'expected pictures'],
    ['gru', [1, 8, 8], 'data/mismatch', 'expected sequences'],
    ['resnet(depth=21)', [1, 8, 8], 'option/invalid', '6n + 2'],
    ['resnet(norm=layer)', [1, 8, 8], 'option/invalid', 'batch or group'],
    ['vit(patch=3)', [1, 8, 8], 'option/invalid', 'divides'],
    ['vit(width=30)', [1, 8, 8], 'option/invalid', 'multiple'],
    ['mlp(dropout=1)', [9], 'option/invalid', 'share'],
  ])('refuses %s for %j', (text, input, code, message) => {
    const build = () => buildRecipe(planRecipe(text), { input, outputs: 2, seed: 1 });
    expect(build).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });
});
