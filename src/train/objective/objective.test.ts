import { afterAll, describe, expect, it } from 'vitest';
import { startEngine } from '../../runtime/engine.ts';
import { cues } from '../cues.fixture.ts';
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
