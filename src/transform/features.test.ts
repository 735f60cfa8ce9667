import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../core/random.ts';
import { graph, model, node, value } from '../onnx/model.fixture.ts';
import type { Model } from '../onnx/model.ts';
import { readModel } from '../onnx/read.ts';
import { float32Tensor } from '../onnx/tensor.ts';
import { f32 } from '../runtime/array.ts';
import { type Engine, startEngine } from '../runtime/engine.ts';
import { withFeatures } from './features.ts';

const MODELS = join(process.env.GLACIS_SHARED ?? '../shared', 'models');
let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

const w = float32Tensor([2, 3], [1, 2, 3, 4, 5, 6]);
const small = (nodes: Model['graph']['nodes'], inputs: Record<string, typeof w> = { w }) =>
  model(
    graph({
      inputs: [value('x', ['n', 2])],
      outputs: [value('y', ['n', 3])],
      nodes,
      initializers: inputs,
    }),
  );

describe('the features of a model', () => {
  it('are what the last linear layer sees, behind bias, temperature and softmax', async () => {
    const made = withFeatures(
      small(
        [
          node('Relu', ['x'], ['h']),
          node('MatMul', ['h', 'w'], ['a']),
          node('Add', ['b', 'a'], ['z']),
          node('Div', ['z', 't'], ['s']),
          node('Softmax', ['s'], ['y']),
        ],
        { w, b: float32Tensor([3], [1, 1, 1]), t: float32Tensor([], [2]) },
      ),
      'y',
    )!;
    expect(made.length).toBe(2);
    const session = await engine.open(made.model);
    const given = await session.run({ x: f32(Float32Array.of(-1, 5), [1, 2]) });
    expect(given[made.output]).toEqual(f32(Float32Array.of(0, 5), [1, 2]));
    await session.close();
  });

  it('of a linear model are its input', async () => {
    const made = withFeatures(
      small([node('Gemm', ['x', 'w'], ['y'], { transB: { kind: 'int', value: 0 } })]),
      'y',
    )!;
    const session = await engine.open(made.model);
    const given = await session.run({ x: f32(Float32Array.of(7, 5), [1, 2]) });
    expect(given[made.output]!.data).toEqual(Float32Array.of(7, 5));
    await session.close();
  });

  it('are none where the model does not end in a linear layer with constant weights', () => {
    expect(withFeatures(small([node('Relu', ['x'], ['y'])]), 'y')).toBeUndefined();
    expect(withFeatures(small([node('MatMul', ['w', 'x'], ['y'])]), 'y')).toBeUndefined();
    expect(withFeatures(small([node('MatMul', ['x', 'x'], ['y'])]), 'y')).toBeUndefined();
  });

  const files = ['mnist-cnn', 'mnist-mlp', 'mnist-vit', 'mnist-lstm', 'cifar10-resnet14'];
  it.each(files)('leave the answers of %s as they are, bit by bit', async (name) => {
    const path = join(MODELS, `${name}.onnx`);
    if (!existsSync(path)) return expect(process.env.CI, `${path} is not there`).toBeUndefined();
    const file = await readModel(path);
    const made = withFeatures(file, 'logits')!;
    const dims = [3, ...(name.startsWith('cifar') ? [3, 32, 32] : [1, 28, 28])];
    const rng = randomFrom(1, name);
    const x = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => rng.uniform());
    const [plain, more] = [await engine.open(file), await engine.open(made.model)];
    const before = await plain.run({ input: f32(x, dims) });
    const after = await more.run({ input: f32(x, dims) });
    expect(after.logits).toEqual(before.logits);
    expect(after[made.output]!.dims).toEqual([3, made.length]);
    await plain.close();
    await more.close();
  });
});
