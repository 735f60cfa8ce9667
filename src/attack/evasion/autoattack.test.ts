import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import { fileOracle } from '../../runtime/file-oracle.ts';
import { openTarget } from '../../runtime/target.ts';
import { argmax, binaryGoal, classificationGoal, type Goal } from '../../threat/goal.ts';
import type { Norm } from '../../threat/norm.ts';
import { hiddenModel, randomRows } from '../../threat/small-model.fixture.ts';
import { autoattack } from './autoattack.ts';

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

const D = 6;
const N = 12;

/** Runs AutoAttack with small budgets on a network of `classes` outputs, at labels that it gives itself. */
async function attacked(
  classes: number,
  eps: number,
  change: { readonly version?: 'standard' | 'plus' | 'rand'; readonly norm?: Norm } = {},
) {
  const target = openTarget(engine, hiddenModel(D, 8, classes));
  const oracle = fileOracle(target, 8);
  const x0 = randomRows('autoattack', N, D, 0, 1);
  const answers = new Float32Array(N * classes);
  for (let at = 0; at < N; at += 6)
    answers.set(await oracle.ask(x0.subarray(at * D, (at + 6) * D), 6), at * classes);
  const labels = Array.from({ length: N }, (_, i) =>
    classes === 1 ? (answers[i]! > 0 ? 1 : 0) : argmax(answers, i * classes, classes),
  );
  const goal: Goal = classes === 1 ? binaryGoal(labels) : classificationGoal(labels, classes);
  const told = new Map<number, { reached: boolean; queries: number; by: string | undefined }>();
  await autoattack.run({
    target,
    oracle,
    queries: target.queries,
    goal,
    ball: { norm: change.norm ?? 'linf', eps, bounds: [0, 1] },
    image: undefined,
    x0,
    x: x0.slice(),
    parameters: new Float32Array(0),
    todo: labels.map((_, i) => i),
    options: {
      ...autoattack.defaults,
      version: change.version ?? 'standard',
      steps: 10,
      squareQueries: 20,
    },
    batch: 8,
    rng: (sample, ...keys) => randomFrom(1, 'autoattack', sample, ...keys),
    progress: () => {},
    decided: (sample, reached, queries = 0, by) => told.set(sample, { reached, queries, by }),
  });
  const { queries } = target;
  await target.close();
  return { told, queries };
}

/** Queries of a sample that stands: its starts, steps and last points, rankings, and FAB's gradients and answers. */
const apgdRuns = (runs: number, steps = 10, passes = 1) => runs * (steps * passes + 1);
const fabRuns = (runs: number, steps = 10) => runs * 2 * steps;

describe('AutoAttack', () => {
  it('runs the published stages on what stands, with as many targets as there are classes', async () => {
    const { told } = await attacked(5, 1e-6);
    for (const { reached, queries } of told.values()) {
      expect(reached).toBe(false);
      // Four targets; Square leaves out what changes nothing.
      const most = apgdRuns(1) + 1 + apgdRuns(4) + 1 + fabRuns(4) + 20;
      expect(queries).toBeLessThanOrEqual(most);
      expect(queries).toBeGreaterThan(most - 20);
    }
  });

  it('names the stage that broke a sample, and asks no more about it', async () => {
    const { told } = await attacked(5, 0.6);
    const fallen = [...told.values()].filter(({ reached }) => reached);
    expect(fallen.length).toBeGreaterThan(6);
    expect(fallen.some(({ by }) => by === 'apgd-ce')).toBe(true);
    for (const { by, queries } of fallen) {
      expect(autoattack.parts).toContain(by);
      if (by === 'apgd-ce') expect(queries).toBeLessThanOrEqual(apgdRuns(1));
    }
  });

  it('runs six stages as plus, and two with averaged gradients as rand', async () => {
    const plus = await attacked(3, 1e-6, { version: 'plus' });
    const apgd = 2 * apgdRuns(5) + 1 + apgdRuns(2);
    // Untargeted FAB asks for a gradient to each of the two other classes.
    const fabs = 5 * 3 * 10 + 1 + fabRuns(2);
    for (const { queries } of plus.told.values()) {
      expect(queries).toBeLessThanOrEqual(apgd + fabs + 20);
      expect(queries).toBeGreaterThan(apgd + fabs);
    }
    const rand = await attacked(3, 1e-6, { version: 'rand' });
    for (const { queries } of rand.told.values()) expect(queries).toBe(2 * apgdRuns(1, 10, 20));
  });

  it('starts five times from larger balls in l1, at five classes', async () => {
    const { told } = await attacked(9, 1e-6, { norm: 'l1' });
    // Three balls a run: the first two start with a gradient more.
    const run = 10 + 2 + 1;
    for (const { queries } of told.values()) {
      const most = 5 * run + 1 + 5 * run + 1 + fabRuns(8) + 20;
      expect(queries).toBeLessThanOrEqual(most);
      expect(queries).toBeGreaterThan(most - 20);
    }
  });

  it.each([1, 2, 3])(
    'works where classes are too few for the ratio of logits (%s outputs)',
    async (classes) => {
      const { told } = await attacked(classes, 0.6);
      expect(told.size).toBe(N);
      expect([...told.values()].filter(({ reached }) => reached).length).toBeGreaterThan(3);
    },
  );

  it('refuses versions that do not exist', () => {
    expect(() => autoattack.check({ ...autoattack.defaults, version: 'custom' as 'plus' })).toThrow(
      /expected standard or plus or rand, got 'custom'/,
    );
  });

  it('estimates a sample that stands', () => {
    expect(autoattack.cost(autoattack.defaults)).toEqual({
      gradients: 100 + 900 + 900,
      evaluations: 1 + 10 + 901 + 5000,
    });
  });
});
