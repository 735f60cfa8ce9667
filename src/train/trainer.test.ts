import { afterAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../core/random.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import type { Model } from '../onnx/model.ts';
import { float32Tensor, numbersOf } from '../onnx/tensor.ts';
import { serializeModel } from '../onnx/write.ts';
import { startEngine } from '../runtime/engine.ts';
import { opsOn } from '../transform/ops.ts';
import { accuracy } from './accuracy.ts';
import { light, shift } from './augment.ts';
import type { Epoch } from './journal.ts';
import type { TrainOptions } from './options.ts';
import { convNet } from './recipes/cnn.ts';
import { cosine } from './schedule.ts';
import { train } from './trainer.ts';

const engine = startEngine({ threads: 2 });
afterAll(() => engine.close());

/** Logits `x W` for `[batch, 3]`, no bias. */
function linear(): Model {
  const b = opsOn(new GraphBuilder());
  const w = b.builder.constant(float32Tensor([3, 2], [0.3, -0.2, 0.5, 0.1, -0.4, 0.2]), 'w');
  const model = b.builder.build({ logits: b.matmul(b.builder.input('x', 'float32', [1, 3]), w) });
  const [input] = model.graph.inputs;
  return {
    ...model,
    graph: {
      ...model.graph,
      inputs: [{ name: input!.name, type: { kind: 'tensor', dtype: 'float32', dims: ['batch', 3] } }],
    },
  };
}

/** Pictures `[1, 8, 8]` in bytes with one bright quarter out of four, which is the class. */
function quarters(n: number) {
  const rng = randomFrom(1, 'quarters');
  const x = new Uint8Array(n * 64);
  const y = new Uint8Array(n);
  for (let k = 0; k < n; k++) {
    y[k] = rng.integer(4);
    for (let i = 0; i < 64; i++) {
      const quarter = Math.floor(i / 32) * 2 + Math.floor((i % 8) / 4);
      x[k * 64 + i] = (quarter === y[k] ? 110 : 60) + rng.integer(80);
    }
  }
  return { x, y };
}

const net = () => convNet({ input: [1, 8, 8], classes: 4, channels: [4], hidden: 8, seed: 2 });
const options: TrainOptions = { epochs: 4, batch: 16, schedule: cosine({ peak: 0.02 }), seed: 5 };

/** What an epoch did, without how long it took. */
const timeless = (epochs: readonly Epoch[]) => epochs.map(({ seconds: _, ...rest }) => rest);

describe('train', () => {
  it('brings a linear model to the known solution', async () => {
    // Each input is one of three unit vectors; the best logits differ by the log odds of its labels.
    const ones = [16, 40, 56];
    const x = new Float32Array(3 * 64 * 3);
    const y: number[] = [];
    for (let feature = 0; feature < 3; feature++) {
      for (let i = 0; i < 64; i++) {
        x[(feature * 64 + i) * 3 + feature] = 1;
        y.push(i < ones[feature]! ? 1 : 0);
      }
    }
    const { model } = await train(
      engine,
      linear(),
      { x, y },
      { epochs: 400, batch: 192, schedule: cosine({ peak: 0.05 }), seed: 1 },
    );
    const w = numbersOf(model.graph.initializers.get('w')!);
    for (const [feature, count] of ones.entries())
      expect(w[feature * 2 + 1]! - w[feature * 2]!).toBeCloseTo(Math.log(count / (64 - count)), 2);
  });

  it('learns a small set, and says what it reached', async () => {
    const { model, epochs } = await train(engine, net(), quarters(160), {
      ...options,
      epochs: 8,
      validation: { samples: quarters(64) },
    });
    expect(epochs).toHaveLength(8);
    expect(epochs[0]!.loss).toBeGreaterThan(2 * epochs[7]!.loss);
    expect(epochs[7]!.accuracy).toBeGreaterThan(0.9);
    expect(epochs[7]!.validation!.accuracy).toBeGreaterThan(0.9);
    expect(await accuracy(engine, model, quarters(64))).toBe(epochs[7]!.validation!.accuracy);
  });

  it('gives the same bytes for the same seed, and others for another', async () => {
    const run = async (seed: number) => {
      const plan = { ...options, epochs: 2, seed, augment: [shift(1), light(0.1)] };
      return Buffer.from(serializeModel((await train(engine, net(), quarters(70), plan)).model));
    };
    const [one, again, other] = [await run(5), await run(5), await run(6)];
    expect(one.equals(again)).toBe(true);
    expect(one.equals(other)).toBe(false);
  });

  it('leaves the model that it was given as it was', async () => {
    const model = net();
    const before = Buffer.from(serializeModel(model));
    await train(engine, model, quarters(32), { ...options, epochs: 1 });
    expect(before.equals(serializeModel(model))).toBe(true);
  });

  it('takes floats as they are, and bytes divided by 255', async () => {
    const { x, y } = quarters(48);
    const plan = { ...options, epochs: 1 };
    const bytes = await train(engine, net(), { x, y }, plan);
    const floats = await train(engine, net(), { x: Float32Array.from(x, (v) => v / 255), y }, plan);
    expect(timeless(floats.epochs)).toEqual(timeless(bytes.epochs));
  });

  it('stops between two steps when it is cancelled', async () => {
    const stop = new AbortController();
    let steps = 0;
    const running = train(engine, net(), quarters(160), {
      ...options,
      signal: stop.signal,
      progress: () => {
        if (++steps === 3) stop.abort();
      },
    });
    await expect(running).rejects.toMatchObject({ code: 'run/cancelled' });
    expect(steps).toBe(3);
  });

  it('reports every step', async () => {
    const seen: string[] = [];
    await train(engine, net(), quarters(50), {
      ...options,
      epochs: 2,
      progress: ({ label, done, total }) => seen.push(`${label}: ${done}/${total}`),
    });
    expect(seen).toEqual([
      'epoch 1 of 2: 1/3',
      'epoch 1 of 2: 2/3',
      'epoch 1 of 2: 3/3',
      'epoch 2 of 2: 1/3',
      'epoch 2 of 2: 2/3',
      'epoch 2 of 2: 3/3',
    ]);
  });

  it('says that the loss is no number any more', async () => {
    const running = train(
      engine,
      linear(),
      { x: Float32Array.of(1, 0, Number.NaN), y: [1] },
      { ...options, batch: 1 },
    );
    await expect(running).rejects.toMatchObject({
      code: 'run/failed',
      message: expect.stringContaining('expected a finite loss'),
    });
  });

  it.each([
    ['epochs', { epochs: 0 }, 'option/invalid'],
    ['batch', { batch: 1.5 }, 'option/invalid'],
    ['clip', { clip: 0 }, 'option/invalid'],
    ['replays', { replays: 0 }, 'option/invalid'],
    ['patience', { validation: { samples: quarters(4), patience: 0 } }, 'option/invalid'],
    ['parameters', { parameters: ['no such weight'] }, 'option/invalid'],
    ['expected weights', { parameters: [] }, 'model/unsupported-task'],
    ['validation data', { validation: { samples: { x: new Float32Array(64), y: [4] } } }, 'data/label-range'],
  ])('refuses a wrong %s', async (name, wrong, code) => {
    await expect(train(engine, net(), quarters(16), { ...options, ...wrong })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(name),
    });
  });

  it('refuses data that do not fit', async () => {
    const { x } = quarters(4);
    const fails = (y: readonly number[], code: string) =>
      expect(train(engine, net(), { x, y }, options)).rejects.toMatchObject({ code });
    await fails([0, 1, 2], 'data/mismatch');
    await fails([0, 1, 2, 4], 'data/label-range');
    await fails([0, 1, 2, 0.5], 'data/label-range');
    await fails([], 'data/mismatch');
  });
});
