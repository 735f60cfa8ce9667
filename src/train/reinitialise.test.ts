import { describe, expect, it } from 'vitest';
import { numbersOf } from '../onnx/tensor.ts';
import { serializeModel } from '../onnx/write.ts';
import { buildRecipe, planRecipe } from './recipes/registry.ts';
import { reinitialise } from './reinitialise.ts';

const bytes = (model: Parameters<typeof serializeModel>[0]) => Buffer.from(serializeModel(model));

const built = (text: string, input: readonly number[], seed = 1) =>
  buildRecipe(planRecipe(text), { input, outputs: 3, seed, centre: { mean: [0.4], std: [0.3] } });

describe('reinitialise', () => {
  it.each<[string, readonly number[]]>([
    ['cnn(channels=8 8, hidden=16)', [3, 12, 12]],
    ['mlp(activation=tanh)', [10]],
    ['small-cnn', [1, 20, 20]],
    ['opacus-cnn', [1, 28, 28]],
    ['gru(direction=both)', [5, 3]],
    ['vit(depth=1)', [3, 8, 8]],
  ])('gives %s the very weights that its recipe draws', (text, input) => {
    const [first, second] = [built(text, input, 1), built(text, input, 2)];
    expect(bytes(reinitialise(second, 1)).equals(bytes(first))).toBe(true);
    expect(bytes(reinitialise(first, 1)).equals(bytes(first))).toBe(true);
    expect(bytes(reinitialise(first, 3)).equals(bytes(first))).toBe(false);
  });

  it('resets running statistics, scales and shifts, and leaves constants of the architecture alone', () => {
    const fresh = built('resnet(depth=8, width=4)', [3, 8, 8]);
    const worn = {
      ...fresh,
      graph: {
        ...fresh.graph,
        initializers: new Map(
          [...fresh.graph.initializers].map(([name, tensor]) => [
            name,
            tensor.dtype === 'float32' && tensor.dims.length > 0
              ? { ...tensor, data: new Uint8Array(tensor.data.length).fill(64) }
              : tensor,
          ]),
        ),
      },
    };
    const { initializers } = reinitialise(worn, 1).graph;
    for (const [name, tensor] of initializers) {
      const values = numbersOf(tensor);
      if (/norm\.(scale|variance)$/.test(name))
        expect(
          values.every((v) => v === 1),
          name,
        ).toBe(true);
      else if (/\.(bias|mean)$/.test(name))
        expect(
          values.every((v) => v === 0),
          name,
        ).toBe(true);
      else if (name.endsWith('.weight')) expect(Math.max(...values.map(Math.abs)), name).toBeLessThan(2);
      else expect(tensor, name).toBe(worn.graph.initializers.get(name));
    }
  });
});
