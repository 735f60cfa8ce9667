import { describe, expect, it } from 'vitest';
import type { ProgressUpdate } from '../core/progress.ts';
import { randomFrom } from '../core/random.ts';
import { classificationGoal } from '../threat/goal.ts';
import { type Attack, type AttackRun, defineAttack } from './attack.ts';
import { runCascade, stageOf } from './cascade.ts';

const N = 10;
const x0 = Float32Array.from({ length: N }, (_, i) => i / 100);

/** What a stage saw of its run. */
interface Seen {
  readonly id: string;
  readonly todo: readonly number[];
  readonly rows: readonly number[];
  readonly random: number;
}

/** Moves every sample by `by`, says that those in `falling` fell, and that each cost three queries. */
function mover(
  id: string,
  by: number,
  falling: readonly number[],
  seen: Seen[],
  seeks: 'ball' | 'minimum' = 'ball',
): Attack<{ readonly strength: number }> {
  return defineAttack({
    id,
    title: id,
    needs: 'labels',
    seeks,
    norms: ['linf'],
    source: 'https://example.org',
    use: 'Tests.',
    defaults: { strength: 1 },
    check() {},
    cost: () => ({ gradients: 0, evaluations: 3 }),
    async run({ todo, x, options, rng, decided }) {
      const random = todo.length > 0 ? rng(todo[0]!).uniform() : 0;
      seen.push({ id, todo, rows: todo.map((i) => x[i]!), random });
      for (const sample of todo) {
        x[sample]! += by * options.strength;
        decided?.(sample, falling.includes(sample), 3);
      }
    },
  });
}

function runOf(change: Partial<AttackRun<unknown>> = {}) {
  const told: (readonly [
    sample: number,
    reached: boolean,
    queries?: number | undefined,
    by?: string | undefined,
  ])[] = [];
  const updates: ProgressUpdate[] = [];
  const x = x0.slice();
  const run: AttackRun<unknown> = {
    target: undefined,
    oracle: {
      sampleDims: [1],
      classes: 2,
      batch: 4,
      parallel: 1,
      ask: async () => new Float32Array(0),
      close: async () => {},
    },
    queries: { forward: 0, gradient: 0 },
    goal: classificationGoal(new Int32Array(N), 2),
    ball: { norm: 'linf', eps: 0.25, bounds: [0, 1] },
    image: undefined,
    x0,
    x,
    parameters: new Float32Array(0),
    todo: Array.from({ length: N }, (_, i) => i),
    options: {},
    batch: 4,
    rng: (sample, ...keys) => randomFrom(3, 'cascade', sample, ...keys),
    progress: (update) => updates.push(update),
    decided: (...args) => told.push(args),
    ...change,
  };
  return { run, told, updates, x };
}

const by = (told: ReturnType<typeof runOf>['told']) =>
  Object.fromEntries(told.map(([sample, reached, queries, part]) => [sample, [reached, queries, part]]));

describe('a cascade', () => {
  it('gives each stage only what still stands, from the clean samples, and says what did it', async () => {
    const seen: Seen[] = [];
    const { run, told, x } = runOf();
    await runCascade(run, [
      stageOf(mover('first', 0.1, [1, 3], seen)),
      stageOf(mover('second', 0.2, [0, 9], seen)),
      stageOf(mover('third', 0.05, [], seen)),
    ]);
    expect(seen.map(({ id, todo }) => [id, todo])).toEqual([
      ['first', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
      ['second', [0, 2, 4, 5, 6, 7, 8, 9]],
      ['third', [2, 4, 5, 6, 7, 8]],
    ]);
    for (const { todo, rows } of seen) expect(rows).toEqual(todo.map((i) => x0[i]));
    expect(by(told)).toEqual({
      1: [true, 3, 'first'],
      3: [true, 3, 'first'],
      0: [true, 6, 'second'],
      9: [true, 6, 'second'],
      ...Object.fromEntries([2, 4, 5, 6, 7, 8].map((i) => [i, [false, 9, undefined]])),
    });
    const moved = Array.from(x, (v, i) => Math.round(100 * (v - x0[i]!)) / 100);
    // What stands keeps the first stage's example.
    expect(moved).toEqual([0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.2]);
  });

  it('counts an example of a minimum-norm stage within the ball only, and keeps no other', async () => {
    const seen: Seen[] = [];
    const { run, told, x } = runOf();
    await runCascade(run, [
      stageOf(mover('far', 0.3, [0, 1, 2], seen, 'minimum')),
      stageOf(mover('near', 0.24, [2], seen, 'minimum')),
    ]);
    expect(told.filter(([, reached]) => reached)).toEqual([[2, true, 6, 'near']]);
    for (const [i, v] of x.entries()) expect(v - x0[i]!).toBeCloseTo(i === 2 ? 0.24 : 0, 6);
  });

  it('goes on without samples, and stops early when none stand', async () => {
    const seen: Seen[] = [];
    const all = Array.from({ length: N }, (_, i) => i);
    const { run, told } = runOf();
    await runCascade(run, [
      stageOf(mover('first', 0.1, all, seen)),
      stageOf(mover('second', 0.1, all, seen)),
    ]);
    expect(seen.length).toBe(1);
    expect(told.length).toBe(N);
    await runCascade(runOf({ todo: [] }).run, [stageOf(mover('first', 0.1, all, seen))]);
    expect(seen.length).toBe(1);
  });

  it('decides group after group, so that an interruption keeps whole groups', async () => {
    const seen: Seen[] = [];
    const { run, told } = runOf({ batch: 1 });
    const stop = defineAttack({
      ...mover('second', 0.1, [], seen),
      async run(inner: AttackRun<{ readonly strength: number }>) {
        if (inner.todo.includes(5)) throw new Error('interrupted');
        for (const sample of inner.todo) inner.decided?.(sample, false, 1);
      },
    });
    await expect(runCascade(run, [stageOf(mover('first', 0.1, [6], seen)), stageOf(stop)])).rejects.toThrow(
      'interrupted',
    );
    expect(told.map(([sample, reached]) => [sample, reached])).toEqual([
      [0, false],
      [1, false],
      [2, false],
      [3, false],
      [6, true],
    ]);
  });

  it('hands on options and random numbers of their own to the stages', async () => {
    const seen: Seen[] = [];
    const { run, x } = runOf();
    await runCascade(run, [
      stageOf(mover('first', 0.1, [], seen), { strength: 2 }),
      stageOf(mover('second', 0.1, [], seen)),
    ]);
    expect(x[0]).toBeCloseTo(0.2, 6);
    expect(seen[0]!.random).toBe(randomFrom(3, 'cascade', 0, 'first').uniform());
    expect(seen[1]!.random).toBe(randomFrom(3, 'cascade', 0, 'second').uniform());
  });

  it('tells progress that rises to the end, with the stage and how many stand', async () => {
    const { run, updates } = runOf({ batch: 2 });
    await runCascade(run, [
      stageOf(mover('first', 0.1, [0, 4, 9], [])),
      stageOf(mover('second', 0.1, [1], [])),
    ]);
    const done = updates.map((update) => update.done);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(done.at(-1)).toBe(N);
    expect(updates.every(({ total }) => total === N)).toBe(true);
    expect(updates[0]!.note).toBe('first: 9 stand');
    expect(updates.at(-1)!.note).toBe('second: 6 stand');
  });
});
