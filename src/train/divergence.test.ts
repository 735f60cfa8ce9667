import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../core/random.ts';
import { startEngine } from '../runtime/engine.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { madry } from './objective/madry.ts';
import { sgd } from './optimise/sgd.ts';
import type { TrainOptions } from './options.ts';
import { buildRecipe, planRecipe } from './recipes/registry.ts';
import { constant, steps } from './schedule.ts';
import { isAllFinite } from './state.ts';
import { train } from './trainer.ts';

const engine = startEngine({ threads: 2 });
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-divergence-'));
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

const rng = randomFrom(1, 'divergence');
const x = Float32Array.from({ length: 40 * 64 }, () => rng.uniform());
const y = Uint8Array.from({ length: 40 }, () => rng.integer(3));
const net = (text = 'cnn(channels=4 4, hidden=8)') =>
  buildRecipe(planRecipe(text), { input: [1, 8, 8], outputs: 3, seed: 2 });
const options: TrainOptions = { epochs: 3, batch: 8, schedule: constant({ peak: 0.01, warmUp: 0 }), seed: 5 };
const failing = (more: Partial<TrainOptions>, data = { x, y }, model = net()) =>
  train(engine, model, data, { ...options, ...more }).then(
    () => expect.unreachable('it did not fail'),
    (error: Error) => error,
  );

describe('a loss that is no number', () => {
  it('names the layer from which on values are not finite, and the largest weight', async () => {
    const error = await failing({ schedule: constant({ peak: 1e30, warmUp: 0 }) });
    expect(error).toMatchObject({ code: 'run/failed' });
    // Weights of about ±1e30 after the first step: the first layer is finite, the second overflows.
    expect(error.message).toMatch(
      /step 2 of epoch 1: the first values that are not finite come out of conv2/,
    );
    expect(error.message).toMatch(/largest weight before it is 1e\+30, in conv\d\.weight/);
    expect(error.message).toContain('lower the learning rate');
  });

  it('names the sample where the data hold infinity', async () => {
    const broken = x.slice();
    broken[17 * 64 + 5] = Number.POSITIVE_INFINITY;
    const error = await failing({}, { x: broken, y });
    expect(error.message).toMatch(/in step \d of epoch 1: sample 17 of the training data/);
  });

  it('says that the update overflows where the layers do not', async () => {
    const error = await failing(
      { schedule: constant({ peak: 3e38, warmUp: 0 }), optimiser: sgd(), batch: 40 },
      { x: x.map((v) => 1e6 * v), y },
      net('mlp(hidden=none)'),
    );
    expect(error.message).toMatch(/got weights that are not in step 1 of epoch 1/);
    expect(error.message).toMatch(/the update of head\.weight is not/);
  });

  it('does not keep a state that is not finite: the checkpoint is that of the last good epoch', async () => {
    const path = join(folder, 'run');
    const schedule = steps({ peak: 1e-30, warmUp: 0, at: [0.4], factor: 1 });
    const jump = { ...schedule, rate: (step: number) => (step < 7 ? 1e-3 : 1e30) };
    const error = await failing({ schedule: jump, checkpoint: { path, every: 1e-9 } });
    expect(error.message).toContain(`${path} holds the last good state`);
    const { states, steps: made } = parseCheckpoint(await readFile(path), path);
    expect(made).toBeLessThanOrEqual(9);
    expect([...states.values()].every(isAllFinite)).toBe(true);
  });

  it('says so, too, where an attack is part of the step', async () => {
    const objective = madry({ norm: 'linf', eps: 0.1, steps: 2 });
    const error = await failing({ schedule: constant({ peak: 1e30, warmUp: 0 }), objective });
    expect(error.message).toMatch(/come out of conv2/);
  });
});
