import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { attributesFrom } from '../../onnx/attributes.ts';
import type { Model } from '../../onnx/model.ts';
import { numbersOf } from '../../onnx/tensor.ts';
import { serializeModel } from '../../onnx/write.ts';
import { f32 } from '../../runtime/array.ts';
import { startEngine } from '../../runtime/engine.ts';
import { foldBatchNormalization } from '../../transform/fold-batch-normalization.ts';
import type { TrainOptions } from '../options.ts';
import { openLayers } from '../recipes/layers.ts';
import { buildRecipe, planRecipe } from '../recipes/registry.ts';
import { constant } from '../schedule.ts';
import { train } from '../trainer.ts';

const engine = startEngine({ threads: 1 });
afterAll(() => engine.close());

const [N, C, S] = [8, 2, 4];
const rng = randomFrom(1, 'batch-normalization');
const data = {
  x: Float32Array.from({ length: N * C * S * S }, () => 3 + 2 * rng.uniform()),
  y: Uint8Array.from({ length: N }, () => rng.integer(3)),
};
const options: TrainOptions = { epochs: 1, batch: N, schedule: constant({ peak: 1e-3, warmUp: 0 }), seed: 1 };

/** Normalised samples, and a dense layer. */
function normalised(): Model {
  const net = openLayers({ input: [C, S, S], outputs: 3, seed: 1 });
  return net.finish(net.dense('head', net.flatten(net.batchNorm('norm', net.x)), 3, 1), 'normalised');
}

const valuesOf = (model: Model, name: string) => Array.from(numbersOf(model.graph.initializers.get(name)!));

async function run(model: Model, rows = N): Promise<Float32Array> {
  const session = await engine.open(model, { optimise: 'disabled' });
  const x = data.x.slice(0, rows * C * S * S);
  const { logits } = await session.run({ input: f32(x, [rows, C, S, S]) });
  await session.close();
  return logits!.data as Float32Array;
}

describe('BatchNormalization in training', () => {
  it('moves its running statistics towards those of the batch by 1 − momentum, as ONNX defines', async () => {
    const { model } = await train(engine, normalised(), data, options);
    for (let c = 0; c < C; c++) {
      const of = [...data.x].filter((_, i) => Math.floor(i / (S * S)) % C === c);
      const mean = of.reduce((sum, v) => sum + v, 0) / of.length;
      const variance = of.reduce((sum, v) => sum + (v - mean) ** 2, 0) / of.length;
      // running = running · momentum + batch · (1 − momentum), with momentum 0.9 from mean 0 and variance 1.
      expect(valuesOf(model, 'norm.mean')[c]).toBeCloseTo(0.1 * mean, 5);
      expect(valuesOf(model, 'norm.variance')[c]).toBeCloseTo(0.9 + 0.1 * variance, 5);
    }
  });

  it('normalises by the statistics of the batch, so that the loss does not see scale and shift of the data', async () => {
    const moved = { ...data, x: data.x.map((v) => 100 * v - 50) };
    const [one, other] = [
      await train(engine, normalised(), data, options),
      await train(engine, normalised(), moved, options),
    ];
    expect(other.epochs[0]!.loss).toBeCloseTo(one.epochs[0]!.loss, 3);
  });

  it('answers by its running statistics once deployed: for a sample alone as in a batch, and as was measured', async () => {
    const plan = { ...options, epochs: 20, validation: { samples: data } };
    const { model, epochs } = await train(engine, normalised(), data, plan);
    const [all, one] = [await run(model), await run(model, 1)];
    for (let k = 0; k < 3; k++) expect(one[k]).toBeCloseTo(all[k]!, 5);
    const losses = Array.from({ length: N }, (_, i) => {
      const row = all.slice(3 * i, 3 * i + 3);
      return Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0)) - row[data.y[i]!]!;
    });
    const mean = losses.reduce((sum, v) => sum + v, 0) / N;
    expect(epochs.at(-1)!.validation!.loss).toBeCloseTo(mean, 4);
  });

  it('goes on with the same statistics where the run was resumed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'glacis-norm-'));
    const start = () =>
      buildRecipe(planRecipe('resnet(depth=8, width=2)'), { input: [C, S, S], outputs: 3, seed: 1 });
    const plan = { ...options, epochs: 3, batch: 2 };
    const whole = await train(engine, start(), data, plan);
    const stop = new AbortController();
    let steps = 0;
    const checkpoint = { path: join(folder, 'run'), resume: true };
    const first = train(engine, start(), data, {
      ...plan,
      checkpoint,
      signal: stop.signal,
      progress: () => {
        if (++steps === 5) stop.abort();
      },
    });
    await expect(first).rejects.toMatchObject({ code: 'run/cancelled' });
    const resumed = await train(engine, start(), data, { ...plan, checkpoint });
    expect(Buffer.from(serializeModel(resumed.model)).equals(serializeModel(whole.model))).toBe(true);
    await rm(folder, { recursive: true });
  });
});

describe('foldBatchNormalization', () => {
  it.each([
    ['resnet(depth=8, width=4)', 9],
    ['resnet(depth=8, width=4, norm=group)', 0],
  ])('leaves the answers of %s as they were', async (text, folded) => {
    const start = buildRecipe(planRecipe(text), { input: [C, S, S], outputs: 3, seed: 1 });
    const { model } = await train(engine, start, data, { ...options, epochs: 10 });
    const count = ({ graph }: Model) => graph.nodes.filter(({ op }) => op === 'BatchNormalization').length;
    const plain = foldBatchNormalization(model);
    expect([count(model), count(plain)]).toEqual([folded, 0]);
    const [before, after] = [await run(model), await run(plain)];
    const largest = Math.max(...before.map(Math.abs));
    for (const [i, v] of before.entries()) expect(Math.abs(v - after[i]!)).toBeLessThan(1e-5 * largest);
    expect([...plain.graph.initializers.keys()].some((name) => name.endsWith('norm.mean'))).toBe(false);
  });

  it('folds into dense layers, and leaves what another node needs and what is in training mode', async () => {
    const net = openLayers({ input: [C, S, S], outputs: 3, seed: 1 });
    const dense = net.dense('dense', net.flatten(net.x), 5);
    const norm = net.batchNorm('norm', dense);
    const single = net.finish(net.dense('head', norm, 3, 1), 'single');
    const worn = (model: Model): Model => ({
      ...model,
      graph: {
        ...model.graph,
        initializers: new Map(
          [...model.graph.initializers].map(([name, tensor], k) => [
            name,
            /norm|bias/.test(name)
              ? {
                  ...tensor,
                  data: new Uint8Array(
                    Float32Array.from({ length: tensor.data.length / 4 }, (_, i) => 0.5 + ((i + k) % 3))
                      .buffer,
                  ),
                }
              : tensor,
          ]),
        ),
      },
    });
    const model = worn(single);
    const plain = foldBatchNormalization(model);
    expect(plain.graph.nodes.map(({ op }) => op)).not.toContain('BatchNormalization');
    const [before, after] = [await run(model), await run(plain)];
    for (const [i, v] of before.entries()) expect(after[i]).toBeCloseTo(v, 4);

    const twice = net.finish(net.dense('head2', net.b.add(norm, dense), 3, 1), 'twice');
    expect(foldBatchNormalization(twice)).toBe(twice);
    const training: Model = {
      ...single,
      graph: {
        ...single.graph,
        nodes: single.graph.nodes.map((node) =>
          node.op === 'BatchNormalization'
            ? { ...node, attributes: new Map([...node.attributes, ...attributesFrom({ training_mode: 1 })]) }
            : node,
        ),
      },
    };
    expect(foldBatchNormalization(training)).toBe(training);
  });
});
