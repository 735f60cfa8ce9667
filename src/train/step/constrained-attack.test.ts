import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { f32, i64 } from '../../runtime/array.ts';
import { startEngine } from '../../runtime/engine.ts';
import { inBall } from '../../threat/constraint/ball.ts';
import { series } from '../../threat/constraint/series.ts';
import { tabular } from '../../threat/constraint/tabular.ts';
import type { Constraint } from '../../threat/constraint.ts';
import { accuracy } from '../accuracy.ts';
import { crossEntropy } from '../criterion/cross-entropy.ts';
import { free } from '../objective/free.ts';
import { madry } from '../objective/madry.ts';
import { mart } from '../objective/mart.ts';
import type { Objective } from '../objective/objective.ts';
import { plain } from '../objective/plain.ts';
import { checkedThreat, type TrainingThreat } from '../objective/threat.ts';
import { trades } from '../objective/trades.ts';
import { withWeightPerturbation } from '../objective/weight-perturbation.ts';
import { adam } from '../optimise/adam.ts';
import { trainableParameters } from '../parameters.ts';
import { buildRecipe, planRecipe } from '../recipes/registry.ts';
import type { LabelledSamples } from '../samples.ts';
import { constant } from '../schedule.ts';
import { initialState, keyOf } from '../state.ts';
import { train } from '../trainer.ts';
import { openConstrainedAttack } from './constrained-attack.ts';
import { buildStep } from './step.ts';

const engine = startEngine({ threads: 1 });
afterAll(() => engine.close());

/** Data, what their examples must satisfy, and a ball. */
interface Case {
  readonly shape: readonly number[];
  readonly constraint: Constraint;
  readonly threat: TrainingThreat;
  samples(n: number, seed: number): LabelledSamples;
}

/** A count that tells the class but can be raised, a score that tells it but can be moved, and a fixed, noisier one that cannot. */
const table: Case = {
  shape: [4],
  constraint: tabular({
    columns: [
      { name: 'count', type: 'integer', min: 0, max: 40, direction: 'up' },
      { name: 'score', min: 0, max: 10, maxChange: 3 },
      { name: 'history', immutable: true },
      { name: 'noise', min: -5, max: 5 },
    ],
  }),
  threat: { norm: 'linf', eps: 8, bounds: [-10, 50], steps: 7 },
  samples(n, seed) {
    const rng = randomFrom(seed, 'table');
    const y = Int32Array.from({ length: n }, () => rng.integer(2));
    const x = Float32Array.from({ length: 4 * n }, (_, i) => {
      const side = y[i >> 2] === 1 ? 1 : -1;
      const within = (low: number, v: number, high: number) => Math.min(high, Math.max(low, v));
      switch (i % 4) {
        case 0:
          return Math.round(within(0, 15 + 5 * side + rng.normal(), 40));
        case 1:
          return within(0, 5 + side + 0.1 * rng.normal(), 10);
        case 2:
          return side + 0.7 * rng.normal();
        default:
          return within(-5, rng.normal(), 5);
      }
    });
    return { x, y };
  },
};

/** Windows whose last two points follow the class closely and may move, and whose earlier ones follow it roughly and may not. */
const windows: Case = {
  shape: [8, 1],
  constraint: series({ layout: 'time-first', last: 2, columns: [{ name: 'value', maxChange: 4 }] }, [8, 1]),
  threat: { norm: 'linf', eps: 4, bounds: [-10, 10], steps: 5 },
  samples(n, seed) {
    const rng = randomFrom(seed, 'windows');
    const y = Int32Array.from({ length: n }, () => rng.integer(2));
    const x = Float32Array.from({ length: 8 * n }, (_, i) => {
      const side = y[i >> 3] === 1 ? 1 : -1;
      return i % 8 >= 6 ? 2 * side + 0.1 * rng.normal() : 0.6 * side + rng.normal();
    });
    return { x, y };
  },
};

const CASES = Object.entries({ table, windows });

const net = ({ shape }: Case) =>
  buildRecipe(planRecipe('mlp(hidden=16)'), { input: shape, outputs: 2, seed: 3 });

const learned = (each: Case, objective: Objective, more = {}) =>
  train(engine, net(each), each.samples(320, 1), {
    epochs: 10,
    batch: 32,
    schedule: constant({ peak: 0.01 }),
    seed: 1,
    objective,
    validation: { samples: each.samples(200, 2), threat: each.threat, constraint: each.constraint },
    ...more,
  });
const under = ({ constraint }: Case) => ({ constraint, digest: 'sha256:0' });

describe('an attack under a constraint', () => {
  const CLIMBED = CASES.flatMap(([name, each]) =>
    (['loss', 'divergence'] as const).map((climbs) => ({ name, climbs, each })),
  );

  it.each(CLIMBED)(
    'gives samples of $name that satisfy it, inside ball and bounds, and that are learned less well, climbing the $climbs',
    async ({ each, climbs }) => {
      const { constraint } = each;
      const threat = checkedThreat(each.threat);
      const { model } = await learned(each, plain());
      const parameters = trainableParameters(model);
      const settings = { parameters, criterion: crossEntropy() };
      const rows = 40;
      const attack = await openConstrainedAttack(engine, model, {
        ...settings,
        rows,
        threat,
        constraint,
        climbs,
        block: 0,
        seed: 1,
      });
      const step = buildStep(model, { ...settings, objective: plain(), batch: rows, optimiser: adam() });
      const state = initialState(model, step, adam());
      const held = new Map(
        step.carried.filter(({ role }) => role === 'weight').map((one) => [one.name, one] as const),
      );
      const samples = each.samples(rows, 5);
      const size = samples.x.length / rows;
      const attacked = await attack.attack({
        x: f32(samples.x as Float32Array, [rows, ...each.shape]),
        targets: i64(Array.from(samples.y)),
        samples: Array.from({ length: rows }, (_, i) => i),
        ...{ at: 0, eps: threat.eps, stepSize: threat.eps * threat.stepShare },
        weight: (name) => f32(state.get(keyOf(held.get(name)!))!, held.get(name)!.dims),
      });
      await attack.close();
      const x = attacked.data as Float32Array;
      const clean = samples.x as Float32Array;
      const ball = { ...threat, constraint };
      let moved = 0;
      for (let row = 0; row < rows; row++) {
        expect(constraint.violation(x, row * size, clean, row * size, size)).toBeUndefined();
        const [a, b] = [x, clean].map((v) => v.subarray(row * size, (row + 1) * size));
        expect(inBall(ball, a!, b!)).toBe(true);
        if (a!.some((v, i) => v !== b![i])) moved++;
      }
      expect(moved).toBe(rows);
      const right = await accuracy(engine, model, samples);
      expect(await accuracy(engine, model, { x, y: samples.y })).toBeLessThan(right - 0.3);
    },
  );
});

describe('training under a constraint', () => {
  it.each(CASES)(
    'makes a network on a %s stand against what an attacker can do',
    async (_, each) => {
      const robust = async (objective: Objective) =>
        (await learned(each, objective)).epochs.at(-1)!.validation!;
      const [undefended, defended] = [await robust(plain()), await robust(madry(each.threat, under(each)))];
      expect(undefended.accuracy).toBeGreaterThan(0.95);
      expect(undefended.robust).toBeLessThan(0.5);
      expect(defended.robust).toBeGreaterThan(0.75);
      // The same attack without the constraint takes away what an attacker could not, and teaches nothing.
      const unconstrained = await robust(madry(each.threat));
      expect(defended.robust).toBeGreaterThan(unconstrained.robust! + 0.1);
    },
    30_000,
  );

  const OTHERS = {
    trades: (each) => trades(each.threat, 6, under(each)),
    mart: (each) => mart(each.threat, 5, under(each)),
    free: (each) => free(each.threat, under(each)),
    'pgd, awp': (each) => withWeightPerturbation(madry(each.threat, under(each))),
  } satisfies Record<string, (each: Case) => Objective>;

  it.each(Object.entries(OTHERS))(
    'does so with %s',
    async (name, objective) => {
      const validation = async (trained: Objective, more = {}) =>
        (await learned(table, trained, more)).epochs.at(-1)!.validation!;
      const defended = await validation(objective(table), name === 'free' ? { replays: 4 } : {});
      expect(defended.robust).toBeGreaterThan(0.75);
      expect(defended.accuracy).toBeGreaterThanOrEqual(defended.robust!);
    },
    30_000,
  );

  it.each(
    Object.entries({
      pgd: madry(table.threat, under(table)),
      trades: OTHERS.trades(table),
      free: OTHERS.free(table),
    }),
  )(
    'goes on to the same bytes with %s',
    async (_, objective) => {
      const weights = ({ model }: Awaited<ReturnType<typeof learned>>) =>
        [...model.graph.initializers.values()].map(({ data }) => Buffer.from(data).toString('hex')).join();
      const folder = await mkdtemp(join(tmpdir(), 'glacis-constrained-'));
      try {
        const whole = await learned(table, objective, { epochs: 3 });
        const stop = new AbortController();
        const checkpoint = { path: join(folder, 'run') };
        let steps = 0;
        const first = learned(table, objective, {
          ...{ epochs: 3, checkpoint, signal: stop.signal },
          progress: () => void (++steps === 14 && stop.abort()),
        });
        await expect(first).rejects.toMatchObject({ code: 'run/cancelled' });
        const resumed = await learned(table, objective, {
          epochs: 3,
          checkpoint: { ...checkpoint, resume: true },
        });
        expect(weights(resumed)).toBe(weights(whole));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    30_000,
  );
});
