import { afterAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import type { Model } from '../../onnx/model.ts';
import { elementCount, float32Tensor, numbersOf, tensorFrom } from '../../onnx/tensor.ts';
import { f32, type HostTensor, i64 } from '../../runtime/array.ts';
import { startEngine } from '../../runtime/engine.ts';
import { blockSizeOf } from '../../runtime/layout.ts';
import { crossEntropy } from '../criterion/cross-entropy.ts';
import { plain } from '../objective/plain.ts';
import { adam } from '../optimise/adam.ts';
import { trainableParameters } from '../parameters.ts';
import { convNet } from '../recipes/cnn.ts';
import { buildStep } from './step.ts';

const engine = startEngine({ threads: 1 });
afterAll(() => engine.close());

const model = convNet({ input: [2, 8, 8], classes: 3, channels: [3, 4], hidden: 5, seed: 4 });
const BATCH = 6;

/** Runs one step; with β₁ = 0 the first moment that comes out is the gradient itself. */
async function openStep(of: Model, block = 0) {
  const step = buildStep(of, {
    block,
    batch: BATCH,
    parameters: trainableParameters(of),
    criterion: crossEntropy(),
    objective: plain(),
    optimiser: adam({ beta1: 0 }),
  });
  const weightsOf = step.carried.filter(({ role }) => role === 'weight');
  const gradientOf = (name: string) =>
    step.carried.find((each) => each.name === name && each.slot === 'first')!.output;
  const session = await engine.open(step.model);
  const rng = randomFrom(9, 'step');
  const x = Float32Array.from({ length: BATCH * 128 }, () => rng.uniform());
  const weights = new Map(
    weightsOf.map(({ name }) => [name, Float32Array.from(numbersOf(of.graph.initializers.get(name)!))]),
  );
  const run = async (at: ReadonlyMap<string, Float32Array>) => {
    const feeds: Record<string, HostTensor> = {
      [step.inputs.x]: f32(x, [BATCH, 2, 8, 8]),
      [step.inputs.targets]: i64([0, 1, 2, 2, 1, 0]),
      [step.inputs.step]: i64([1], []),
      [step.inputs.rate]: f32(Float32Array.of(0.01), []),
    };
    for (const { role, name, dims, input } of step.carried)
      feeds[input] = f32(role === 'weight' ? at.get(name)! : new Float32Array(elementCount(dims)), dims);
    return session.run(feeds);
  };
  return { step, weights, run, session, gradientOf };
}

describe('buildStep', () => {
  it('computes the gradient of every weight of a network with convolutions', async () => {
    const { step, weights, run, session, gradientOf } = await openStep(model);
    expect([...weights.keys()]).toEqual([
      'conv1.weight',
      'conv1.bias',
      'conv2.weight',
      'conv2.bias',
      'dense.weight',
      'dense.bias',
      'classifier.weight',
      'classifier.bias',
    ]);
    const here = await run(weights);
    const rng = randomFrom(11, 'direction');
    let largest = 0;
    for (const name of weights.keys()) {
      const gradient = here[gradientOf(name)]!.data as Float32Array;
      const norm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
      largest = Math.max(largest, norm);
      // Along the gradient itself the slope is its norm; along random directions it is the inner product.
      for (const random of [false, true]) {
        const d = gradient.map((g) => (random ? rng.normal() : g / norm));
        const length = Math.sqrt(d.reduce((sum, v) => sum + v * v, 0));
        const h = 1e-3 / length;
        const at = async (sign: number) => {
          const moved = weights.get(name)!.map((w, i) => w + sign * h * d[i]!);
          const { [step.measures.loss]: loss } = await run(new Map([...weights, [name, moved]]));
          return Number(loss!.data[0]);
        };
        const slope = ((await at(1)) - (await at(-1))) / (2 * h);
        const expected = gradient.reduce((sum, g, i) => sum + g * d[i]!, 0);
        expect(Math.abs(slope - expected) / length, name).toBeLessThan(2e-3 * Math.max(1, norm));
      }
    }
    expect(largest).toBeGreaterThan(0.1);
    await session.close();
  });

  it('gives the mean cross-entropy before the update and counts what was right', async () => {
    const zero: Model = {
      ...model,
      graph: {
        ...model.graph,
        initializers: new Map(
          [...model.graph.initializers].map(([name, t]) => [
            name,
            name.startsWith('classifier')
              ? float32Tensor(
                  t.dims,
                  Float32Array.from({ length: elementCount(t.dims) }, (_, i) =>
                    name.endsWith('bias') && i === 2 ? 1 : 0,
                  ),
                )
              : t,
          ]),
        ),
      },
    };
    const { step, weights, run, session } = await openStep(zero);
    const r = await run(weights);
    // Every row has the logits 0, 0, 1; two labels of six are 2.
    expect(Number(r[step.measures.loss]!.data[0])).toBeCloseTo(Math.log(2 + Math.E) - 1 / 3, 5);
    expect(Number(r[step.measures.correct!]!.data[0])).toBe(2);
    await session.close();
  });

  it('gives the same losses, weights and moments in the blocked layout', async () => {
    const block = await blockSizeOf(engine);
    const wide = convNet({ input: [2, 8, 8], classes: 3, channels: [32, 16], hidden: 5, seed: 4 });
    const flat = await openStep(wide);
    const blocked = await openStep(wide, block);
    const inBlocks = blocked.step.model.graph.nodes.filter((node) => node.domain === 'com.microsoft.nchwc');
    expect(inBlocks.length > 0).toBe(block > 0);
    expect(blocked.step.measures).toEqual(flat.step.measures);
    const [expected, got] = [await flat.run(flat.weights), await blocked.run(blocked.weights)];
    expect(Object.keys(got)).toEqual(Object.keys(expected));
    for (const name of flat.weights.keys()) {
      // The first moment is the gradient here; its size sets the scale for float32 in another order.
      const [g, h] = [
        expected[flat.gradientOf(name)]!.data,
        got[flat.gradientOf(name)]!.data,
      ] as Float32Array[];
      const largest = Math.max(...g!.map(Math.abs));
      expect(Math.max(...g!.map((v, i) => Math.abs(v - h![i]!))), name).toBeLessThan(1e-4 * largest);
    }
    const { loss } = flat.step.measures;
    expect(Number(got[loss]!.data[0])).toBeCloseTo(Number(expected[loss]!.data[0]), 5);
    await flat.session.close();
    await blocked.session.close();
  });

  it('refuses weights that are not float32', () => {
    const { graph } = model;
    const doubled: Model = {
      ...model,
      graph: {
        ...graph,
        inputs: graph.inputs.map((i) => ({
          ...i,
          type: { kind: 'tensor', dtype: 'float64', dims: ['batch', 2, 8, 8] },
        })),
        initializers: new Map(
          [...graph.initializers].map(([n, t]) => [
            n,
            t.dtype === 'float32' ? tensorFrom('float64', t.dims, numbersOf(t)) : t,
          ]),
        ),
      },
    };
    expect(() =>
      buildStep(doubled, {
        batch: 2,
        parameters: trainableParameters(doubled),
        criterion: crossEntropy(),
        objective: plain(),
        optimiser: adam(),
      }),
    ).toThrow(/expected float32 weights, got float64 for conv1.weight/);
  });
});

describe('trainableParameters', () => {
  it('takes weights and biases, and leaves the constants of the input scaling', () => {
    expect(trainableParameters(model)).toHaveLength(8);
    expect(model.graph.initializers.size).toBeGreaterThan(8);
  });
});
