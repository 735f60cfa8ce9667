import { afterAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { startEngine } from '../../runtime/engine.ts';
import { convNet } from '../recipes/cnn.ts';
import { cosine } from '../schedule.ts';
import { train } from '../trainer.ts';
import { free } from './free.ts';
import { madry } from './madry.ts';
import { mart } from './mart.ts';
import type { Objective } from './objective.ts';
import { plain } from './plain.ts';
import { trades } from './trades.ts';
import { withWeightPerturbation } from './weight-perturbation.ts';

const engine = startEngine({ threads: 2 });
afterAll(() => engine.close());

/** Pictures `[1, 8, 8]` with two cues for two classes: a strong one that an attack within 0.15 can turn, and a weak, wide one that it cannot. */
function cues(n: number) {
  const rng = randomFrom(3, 'cues');
  const x = new Float32Array(n * 64);
  const y = new Uint8Array(n);
  for (let k = 0; k < n; k++) {
    y[k] = rng.integer(2);
    const side = y[k] === 1 ? 1 : -1;
    for (let i = 0; i < 64; i++) {
      const isWide = i % 8 < 4;
      const mean = isWide ? 0.5 + side * 0.3 : 0.5 + side * 0.04;
      x[k * 64 + i] = Math.min(1, Math.max(0, mean + (isWide ? 0.3 : 0.005) * rng.normal()));
    }
  }
  return { x, y };
}

const threat = { norm: 'linf', eps: 0.15, steps: 5 } as const;
const round = { norm: 'l2', eps: 0.8, steps: 5 } as const;

const run = (objective: Objective, more = {}) =>
  train(engine, convNet({ input: [1, 8, 8], classes: 2, channels: [4], hidden: 8, seed: 2 }), cues(256), {
    epochs: 6,
    batch: 32,
    schedule: cosine({ peak: 0.02 }),
    seed: 1,
    objective,
    validation: { samples: cues(128), threat },
    ...more,
  });

describe('objectives', () => {
  it('a network that learns from the samples as they are falls to the attack', async () => {
    const { epochs } = await run(plain());
    const last = epochs.at(-1)!;
    expect(last.validation!.accuracy).toBeGreaterThan(0.95);
    expect(last.validation!.robust).toBeLessThan(0.5);
    expect(last.robust).toBeUndefined();
  }, 20_000);

  it.each<[string, Objective, object]>([
    ['PGD', madry(threat), {}],
    ['PGD in L2', madry(round), { validation: { samples: cues(128), threat: round } }],
    ['one step from a random start', madry({ ...threat, steps: 1, stepShare: 1.25 }), {}],
    ['free', free(threat), { replays: 3, epochs: 3 }],
    ['TRADES', trades(threat, 4), { epochs: 12 }],
    ['MART', mart(threat), {}],
    ['PGD with perturbed weights', withWeightPerturbation(madry(threat), 0.01), {}],
    ['TRADES with perturbed weights', withWeightPerturbation(trades(threat, 4), 0.01), { epochs: 12 }],
  ])(
    '%s makes it stand',
    async (_, objective, more) => {
      const { epochs } = await run(objective, more);
      const last = epochs.at(-1)!;
      expect(last.validation!.robust).toBeGreaterThan(0.7);
      expect(last.robust).toBeGreaterThan(0.6);
      expect(last.loss).toBeLessThan(epochs[0]!.loss);
    },
    20_000,
  );
});
