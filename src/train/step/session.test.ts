import { afterAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import type { Model } from '../../onnx/model.ts';
import { f32, type HostTensor, i64 } from '../../runtime/array.ts';
import { startEngine } from '../../runtime/engine.ts';
import { blockSizeOf } from '../../runtime/layout.ts';
import { crossEntropy } from '../criterion/cross-entropy.ts';
import { plain } from '../objective/plain.ts';
import { adam } from '../optimise/adam.ts';
import { trainableParameters } from '../parameters.ts';
import { convNet } from '../recipes/cnn.ts';
import { feedsOf, initialState } from '../state.ts';
import { buildPartedStep } from './parted.ts';
import { openStep } from './session.ts';
import { buildStep } from './step.ts';

const one = startEngine({ threads: 1 });
const two = startEngine({ threads: 2 });
afterAll(() => Promise.all([one.close(), two.close()]));

const small = convNet({ input: [2, 8, 8], classes: 3, channels: [16, 16], hidden: 5, seed: 4 });
/** More weights than a network whose batch is parted has. */
const large = convNet({ input: [1, 8, 8], classes: 3, channels: [16], hidden: 5000, seed: 4 });

const usual = { criterion: crossEntropy(), objective: plain(), optimiser: adam() };

/** Losses and hits of some steps, and all weights after the last. */
async function trained(engine: typeof one, model: Model, batch: number, steps = 3) {
  const parameters = trainableParameters(model);
  const options = { ...usual, batch, parameters, block: await blockSizeOf(engine) };
  const step = buildStep(model, options);
  const session = await openStep(engine, model, step, options);
  const { loss, correct = '' } = step.measures;
  const names = step.carried.filter(({ role }) => role === 'weight').map(({ output }) => output);
  const rng = randomFrom(3, 'samples');
  const losses: number[] = [];
  const hits: number[] = [];
  let last: Record<string, HostTensor> = {};
  const kept: HostTensor[] = [];
  for (let k = 0; k < steps; k++) {
    const x = Float32Array.from({ length: batch * step.sampleDims.reduce((n, d) => n * d) }, () =>
      rng.uniform(),
    );
    last = await session.run(
      {
        ...(k === 0 ? feedsOf(step, initialState(model, step, usual.optimiser)) : {}),
        [step.inputs.x]: f32(x, [batch, ...step.sampleDims]),
        [step.inputs.targets]: i64(Array.from({ length: batch }, () => rng.integer(3))),
        [step.inputs.step]: i64([k + 1], []),
        [step.inputs.rate]: f32(Float32Array.of(1e-2), []),
      },
      { transfer: true, fetches: k > 0 && k + 1 < steps ? [loss, correct] : [loss, correct, ...names] },
    );
    if (k > 0 && k + 1 < steps) expect(Object.keys(last)).toEqual([loss, correct]);
    else kept.push(...names.map((name) => last[name]!));
    losses.push(Number(last[loss]!.data[0]));
    hits.push(Number(last[correct]!.data[0]));
  }
  await session.close();
  // What was fetched is the caller's, whatever the steps after it do.
  expect(kept.every(({ data }) => data.length > 0)).toBe(true);
  return { losses, hits, weights: names.map((name) => last[name]!.data as Float32Array) };
}

const far = (a: Float32Array, b: Float32Array) =>
  a.reduce((top, v, i) => Math.max(top, Math.abs(v - b[i]!)), 0);

describe('openStep', () => {
  it('trains a small network in parts of the batch as it does in one', async () => {
    const whole = await trained(one, small, 8);
    const parted = await trained(two, small, 8);
    expect(parted.hits).toEqual(whole.hits);
    for (const [i, loss] of whole.losses.entries()) expect(parted.losses[i]).toBeCloseTo(loss, 4);
    // Adam's first steps have the size of the rate wherever a gradient is not zero.
    for (const [i, w] of whole.weights.entries()) expect(far(w, parted.weights[i]!)).toBeLessThan(2e-3);
    expect(whole.losses[2]).not.toBeCloseTo(whole.losses[0]!, 3);
  });

  it('gives the same bytes each time', async () => {
    expect(await trained(two, small, 8)).toEqual(await trained(two, small, 8));
  });

  it.each<[string, Model, number]>([
    ['a batch that does not part', small, 7],
    ['a network with many weights', large, 8],
  ])('trains in one part: %s', async (_, model, batch) => {
    // With one part, threads share operators only, and the order of sums stays.
    expect((await trained(two, model, batch, 1)).hits).toEqual((await trained(one, model, batch, 1)).hits);
  });
});

describe('buildPartedStep', () => {
  it('gives each part its share of the mean loss and of the gradients', async () => {
    const options = { ...usual, batch: 6, parameters: trainableParameters(small) };
    const step = buildStep(small, options);
    const parted = buildPartedStep(small, step, options, 3);
    expect(parted.rows).toBe(2);
    expect(parted.parts).toHaveLength(3);
    const { inputs, outputs } = parted.gradient.graph;
    expect(inputs.map((i) => i.name).sort()).toEqual(
      [step.inputs.x, step.inputs.targets, ...parted.weights].sort(),
    );
    expect(outputs.map((o) => o.name)).toEqual([
      parted.measures.loss,
      parted.measures.correct,
      ...parted.gradients,
    ]);
    const state = feedsOf(step, initialState(small, step, usual.optimiser));
    const held = Object.fromEntries(parted.weights.map((name) => [name, state[name]!]));
    const x = Float32Array.from({ length: 6 * 128 }, (_, i) => ((i * 7) % 11) / 11);
    const labels = [0, 1, 2, 2, 1, 0];
    const session = await one.open(parted.gradient);
    let loss = 0;
    for (let part = 0; part < 3; part++) {
      const result = await session.run({
        ...held,
        [step.inputs.x]: f32(x.slice(part * 256, (part + 1) * 256), [2, 2, 8, 8]),
        [step.inputs.targets]: i64(labels.slice(part * 2, part * 2 + 2)),
      });
      loss += Number(result[parted.measures.loss]!.data[0]);
    }
    await session.close();
    const whole = await one.open(step.model);
    const results = await whole.run({
      ...state,
      [step.inputs.x]: f32(x, [6, 2, 8, 8]),
      [step.inputs.targets]: i64(labels),
      [step.inputs.step]: i64([1], []),
      [step.inputs.rate]: f32(Float32Array.of(0), []),
    });
    expect(loss).toBeCloseTo(Number(results[step.measures.loss]!.data[0]), 5);
    await whole.close();
  });
});
