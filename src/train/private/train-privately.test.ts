import { access, copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import type { Model } from '../../onnx/model.ts';
import { serializeModel } from '../../onnx/write.ts';
import { epsilonFor } from '../../privacy/accountant.ts';
import { runsOn } from '../../privacy/ledger.ts';
import { startEngine } from '../../runtime/engine.ts';
import { mask } from '../../threat/constraint/mask.ts';
import { accuracy } from '../accuracy.ts';
import { shift } from '../augment.ts';
import type { TrainingConstraint } from '../objective/inner-attack.ts';
import { madry } from '../objective/madry.ts';
import { plain } from '../objective/plain.ts';
import type { TrainingThreat } from '../objective/threat.ts';
import { trades } from '../objective/trades.ts';
import { sgd } from '../optimise/sgd.ts';
import { buildRecipe, planRecipe } from '../recipes/registry.ts';
import { constant } from '../schedule.ts';
import type { PrivateEpoch } from './journal.ts';
import type { PrivateTrainOptions } from './options.ts';
import { trainPrivately } from './train-privately.ts';

const engine = startEngine({ threads: 2 });
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-private-'));
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

const N = 120;
const rng = randomFrom(1, 'private');
/** Pictures whose class is the quarter that is bright. */
const data = { x: new Float32Array(N * 64), y: new Uint8Array(N) };
for (let k = 0; k < N; k++) {
  data.y[k] = rng.integer(3);
  for (let i = 0; i < 64; i++)
    data.x[k * 64 + i] = (Math.floor(i / 16) === data.y[k] ? 0.6 : 0.2) + 0.3 * rng.uniform();
}
const net = (text = 'cnn(channels=4,hidden=8)') =>
  buildRecipe(planRecipe(text), { input: [1, 8, 8], outputs: 3, seed: 2 });
const options: PrivateTrainOptions = {
  noise: 1,
  delta: 1e-3,
  batch: 20,
  epochs: 2,
  clip: 1,
  schedule: constant({ peak: 0.2, warmUp: 0 }),
  optimiser: sgd({ momentum: 0.5 }),
  accounting: { accountant: 'rdp' },
};
const bytes = (model: Model) => Buffer.from(serializeModel(model));
const DIGEST = `sha256:${'ab'.repeat(32)}`;

describe('trainPrivately', () => {
  it('learns, and states what it promises', async () => {
    const given = { ...options, noise: 0.5, epochs: 30, accounting: {} };
    const trained = await trainPrivately(engine, net(), data, given);
    expect(await accuracy(engine, trained.model, data)).toBeGreaterThan(0.9);
    expect(trained.steps).toBe(180);
    expect(trained.epochs).toHaveLength(30);
    expect(trained.privacy).toEqual(epsilonFor([{ rate: 20 / 120, noise: 0.5, steps: 180 }], 1e-3));
    expect(trained.privacy).toMatchObject({
      sampling: 'poisson',
      neighbours: 'add-or-remove-one',
      accountant: 'pld',
    });
  }, 30_000);

  it('takes the noise that keeps epsilon', async () => {
    const { noise: _, ...rest } = options;
    const wanted = { ...rest, epsilon: 3 };
    const { privacy, noise } = await trainPrivately(engine, net(), data, wanted);
    expect(privacy!.epsilon).toBeLessThanOrEqual(3);
    expect(privacy!.epsilon).toBeGreaterThan(2.99);
    expect(privacy!.runs).toEqual([{ rate: 20 / 120, noise, steps: 12 }]);
  });

  it('gives something else each time, unless a test seed fixes the key', async () => {
    const [a, b] = [
      await trainPrivately(engine, net(), data, options),
      await trainPrivately(engine, net(), data, options),
    ];
    expect(bytes(a.model).equals(bytes(b.model))).toBe(false);
    const [c, d] = [
      await trainPrivately(engine, net(), data, { ...options, testSeed: 7 }),
      await trainPrivately(engine, net(), data, { ...options, testSeed: 7, rows: 2 }),
    ];
    expect(c.privacy).toBeUndefined();
    expect(c.warnings.join()).toMatch(/nothing is promised/);
    // Smaller physical batches add the same numbers in another order.
    const [p, q] = [c, d].map(({ model }) => [...model.graph.initializers.values()].at(-1)!.data);
    const [x, y] = [p, q].map((v) => new Float32Array(Uint8Array.from(v!).buffer));
    expect(Math.max(...x!.map((v, i) => Math.abs(v - y![i]!)))).toBeLessThan(1e-4);
  });

  it('makes steps of noise alone where batches are empty', async () => {
    const { epochs, model } = await trainPrivately(engine, net(), data, {
      ...options,
      testSeed: 3,
      batch: 0.001,
      epochs: 0.0001,
    });
    expect(epochs.map(({ samples }) => samples)).toEqual([0]);
    expect(bytes(model).equals(bytes(net()))).toBe(false);
  });

  it.each([1, 5, 10])('goes on after step %i to the same bytes', async (stopAt) => {
    const path = join(folder, `stopped-${stopAt}`);
    const given = { ...options, augment: [shift(1)], average: 0.9, testSeed: 4, clip: { start: 0.5 } };
    const whole = await trainPrivately(engine, net(), data, given);
    const stop = new AbortController();
    let steps = 0;
    const first = trainPrivately(engine, net(), data, {
      ...given,
      checkpoint: { path },
      signal: stop.signal,
      progress: () => void (++steps === stopAt && stop.abort()),
    });
    await expect(first).rejects.toMatchObject({ code: 'run/cancelled' });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const resumed = await trainPrivately(engine, net(), data, {
      ...given,
      checkpoint: { path, resume: true },
    });
    expect(bytes(resumed.model).equals(bytes(whole.model))).toBe(true);
    expect(resumed.clip).toBe(whole.clip);
    await expect(access(path)).rejects.toThrow();
  });

  it('draws the noise of a secret key again when it goes on', async () => {
    const path = join(folder, 'secret');
    const copy = join(folder, 'copy');
    const stop = new AbortController();
    const first = trainPrivately(engine, net(), data, {
      ...options,
      checkpoint: { path },
      signal: stop.signal,
      progress: ({ done }) => void (done === 3 && stop.abort()),
    });
    await expect(first).rejects.toMatchObject({ code: 'run/cancelled' });
    await copyFile(path, copy);
    const [a, b] = [
      await trainPrivately(engine, net(), data, { ...options, checkpoint: { path, resume: true } }),
      await trainPrivately(engine, net(), data, { ...options, checkpoint: { path: copy, resume: true } }),
    ];
    expect(bytes(a.model).equals(bytes(b.model))).toBe(true);
  });

  it('measures on known samples, counts what is right, and keeps the checkpoint until the model was taken', async () => {
    const path = join(folder, 'taken');
    let seen = false;
    const { epochs } = await trainPrivately(engine, net(), data, {
      ...options,
      objective: madry({ norm: 'linf', eps: 0.05, steps: 2 }),
      validation: { samples: data, threat: { norm: 'linf', eps: 0.05, steps: 2 } },
      checkpoint: { path },
      onTrained: async ({ steps }) => {
        await access(path);
        seen = steps === 12;
      },
    });
    expect(seen).toBe(true);
    await expect(access(path)).rejects.toThrow();
    expect(epochs).toHaveLength(2);
    for (const { robust, validation } of epochs) {
      expect(robust).toBeGreaterThan(0);
      expect(validation!.accuracy).toBeGreaterThanOrEqual(validation!.robust!);
    }
  });

  it.each([
    ['pgd', madry],
    ['trades', (threat: TrainingThreat, under: TrainingConstraint) => trades(threat, 6, under)],
  ] as const)(
    'learns from samples that %s attacked under a constraint, and goes on to the same bytes',
    async (_, objectiveOf) => {
      const free = Uint8Array.from({ length: 64 }, (_, i) => (i % 8 < 4 ? 1 : 0));
      const constraint = mask(free, [1, 8, 8], [1, 8, 8]);
      const threat = { norm: 'linf', eps: 0.3, steps: 2 } as const;
      const given: PrivateTrainOptions = {
        ...options,
        objective: objectiveOf(threat, { constraint, digest: DIGEST }),
        validation: { samples: data, threat },
        testSeed: 5,
        rows: 7,
      };
      const whole = await trainPrivately(engine, net(), data, given);
      const calm = await trainPrivately(engine, net(), data, { ...given, objective: plain() });
      expect(bytes(whole.model).equals(bytes(calm.model))).toBe(false);
      const [{ robust, validation }] = whole.epochs as [PrivateEpoch];
      expect(robust).toBeGreaterThan(0);
      expect(validation!.robust).toBeLessThanOrEqual(validation!.accuracy!);
      const path = join(folder, 'constrained');
      const stop = new AbortController();
      const first = trainPrivately(engine, net(), data, {
        ...given,
        checkpoint: { path },
        signal: stop.signal,
        progress: ({ done }) => void (done === 4 && stop.abort()),
      });
      await expect(first).rejects.toMatchObject({ code: 'run/cancelled' });
      const resumed = await trainPrivately(engine, net(), data, {
        ...given,
        checkpoint: { path, resume: true },
      });
      expect(bytes(resumed.model).equals(bytes(whole.model))).toBe(true);
    },
    20_000,
  );

  it('sets budget aside before and records what was spent', async () => {
    const path = join(folder, 'ledger.jsonl');
    const ledger = { path, limit: { epsilon: 12, delta: 1e-3 } };
    const given: PrivateTrainOptions = {
      ...options,
      ledger,
      dataDigest: DIGEST,
    };
    const stop = new AbortController();
    const cancelled = trainPrivately(engine, net(), data, {
      ...given,
      signal: stop.signal,
      progress: ({ done }) => void (done === 4 && stop.abort()),
    });
    await expect(cancelled).rejects.toMatchObject({ code: 'run/cancelled' });
    await trainPrivately(engine, net(), data, given);
    const runs = await runsOn(path, DIGEST);
    expect(runs.map(({ run, ended }) => [run.steps, ended])).toEqual([
      [4, true],
      [12, true],
    ]);
    const more = trainPrivately(engine, net(), data, { ...given, epochs: 50 });
    await expect(more).rejects.toMatchObject({ code: 'privacy/budget' });
    expect(await runsOn(path, DIGEST)).toHaveLength(2);
  });

  it('rewrites BatchNormalization where asked, and refuses it otherwise', async () => {
    const model = net('resnet(depth=8,width=4,norm=batch)');
    await expect(trainPrivately(engine, model, data, options)).rejects.toThrow(/normalisation: 'rewrite'/);
    const given = { ...options, normalisation: 'rewrite', epochs: 1 } as const;
    const { rewritten, model: trained } = await trainPrivately(engine, model, data, given);
    expect(rewritten.length).toBeGreaterThan(6);
    expect(trained.graph.nodes.some(({ op }) => op === 'BatchNormalization')).toBe(false);
  }, 30_000);

  it('warns of a delta that is too large', async () => {
    const warnings: string[] = [];
    await trainPrivately(engine, net(), data, {
      ...options,
      delta: 0.01,
      onWarning: (warning) => warnings.push(warning),
    });
    expect(warnings.join()).toMatch(/larger than 1\/n/);
  });

  it.each([
    ['a seed', { seed: 1 }, /the noise is drawn with a secret key/],
    ['mixup', { mixup: 0.2 }, /several samples/],
    ['choosing epochs', { validation: { samples: data, keepBest: true } }, /spends privacy/],
    ['an unknown option', { epsylon: 1 }, /did you mean 'epsilon'/],
    ['a rate above 1', { batch: undefined, rate: 1.5 }, /sampling rate above 0 and at most 1/],
    ['more than all samples', { batch: 121 }, /at most all 120 samples/],
    ['both rate and batch', { rate: 0.1 }, /either rate or batch, got both/],
    ['neither epsilon nor noise', { noise: undefined }, /either epsilon or noise, got none/],
    ['no noise', { noise: 0 }, /noise multiplier/],
    ['a negative epsilon', { noise: undefined, epsilon: -1 }, /finite number above 0/],
    ['a delta of 1', { delta: 1 }, /above 0 and below 1/],
    ['a clipping norm of 0', { clip: 0 }, /clip/],
    ['too little noise on the count', { clip: { noise: 0.4 } }, /noise on the count above 0.5/],
    ['a ledger without a digest', { ledger: { path: '/nowhere' } }, /digest of the data/],
  ])('refuses %s', async (_, change, message) => {
    const given = { ...options, ...change } as PrivateTrainOptions;
    await expect(trainPrivately(engine, net(), data, given)).rejects.toThrow(message);
  });
});
