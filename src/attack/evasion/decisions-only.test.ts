import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import type { Constraint } from '../../threat/constraint.ts';
import { argmax, classificationGoal } from '../../threat/goal.ts';
import { type Ball, distance, type Norm } from '../../threat/norm.ts';
import type { Attack } from '../attack.ts';
import { attackFunction, type FunctionModel } from '../function-model.fixture.ts';
import { boundary } from './boundary.ts';
import { geoda } from './geoda.ts';
import { hopSkipJump } from './hop-skip-jump.ts';
import { pointwise } from './pointwise.ts';
import { rays } from './rays.ts';
import { signOpt } from './sign-opt.ts';

const SIZE = 20;
const N = 4;
const rng = randomFrom(5, 'decisions');
const W = Float64Array.from({ length: SIZE }, () => rng.normal());
const x0 = Float32Array.from({ length: N * SIZE }, () => 0.3 + 0.4 * rng.uniform());
const dot = (x: ArrayLike<number>, at = 0) => W.reduce((sum, w, i) => sum + w * x[at + i]!, 0);
/** Puts sample 0 near the boundary and all on whichever side. */
const OFFSET = dot(x0) - 0.4;

const linear: FunctionModel = {
  sampleDims: [SIZE],
  classes: 2,
  answer: (x) => [0, dot(x) - OFFSET],
};
/** The same decisions, and nothing else to see. */
const labelled: FunctionModel = {
  ...linear,
  answer: (x) => (linear.answer(x)[1]! > 0 ? [0, 1] : [1, 0]),
};
const LABELS = Array.from({ length: N }, (_, s) => (dot(x0, s * SIZE) > OFFSET ? 1 : 0));
const goal = classificationGoal(LABELS, 2);
const ball = (norm: Norm): Ball => ({ norm, eps: 1, bounds: [0, 1] });

/** Distance of sample `s` from the boundary, bounds left aside. */
function least(norm: Norm, s: number): number {
  const gap = Math.abs(dot(x0, s * SIZE) - OFFSET);
  return gap / (norm === 'l2' ? Math.hypot(...W) : W.reduce((sum, w) => sum + Math.abs(w), 0));
}

type Case = readonly [Attack<object>, Norm, Readonly<Record<string, unknown>>, number];

/** Every attack on decisions, and how near it comes to the least distance with its options. */
const CASES: readonly Case[] = [
  [hopSkipJump, 'l2', { queries: 4000 }, 1.03],
  [hopSkipJump, 'linf', { queries: 4000 }, 1.1],
  [signOpt, 'l2', { queries: 4000 }, 1.03],
  [geoda, 'l2', { queries: 4000 }, 1.03],
  [geoda, 'linf', { queries: 4000 }, 1.06],
  [boundary, 'l2', { queries: 2000 }, 1.01],
  [rays, 'linf', { queries: 2000 }, 1.01],
].map((row) => row as unknown as Case);
const ALL = [...CASES, [pointwise, 'l0', { queries: 600 }, 1] as unknown as Case];
const named = (rows: typeof CASES) => rows.map((row) => [row[0].id, row[1], row] as const);

describe.each(named(ALL))('%s in %s', (_id, norm, [attack, , options]) => {
  it('sees decisions only: scores change nothing', async () => {
    const few = { ...options, queries: 500 };
    const a = await attackFunction(attack, linear, goal, ball(norm), x0, { options: few });
    const b = await attackFunction(attack, labelled, goal, ball(norm), x0, { options: few });
    expect(b.x).toEqual(a.x);
    expect(b.queries).toBe(a.queries);
  });

  it('keeps its budget for every sample', async () => {
    for (const queries of [1, 7, 60, 250]) {
      const { decided } = await attackFunction(attack, linear, goal, ball(norm), x0, {
        options: { queries },
      });
      expect(decided.size).toBe(N);
      for (const { asked } of decided.values()) expect(asked).toBeLessThanOrEqual(queries);
    }
  });

  it('changes nothing that a constraint keeps', async () => {
    const free = Uint8Array.from({ length: SIZE }, (_, i) => (i % 3 === 0 ? 0 : 1));
    const keep: Constraint = {
      id: 'mask',
      title: 'every third',
      free,
      project(x, offset, clean, cleanOffset, length) {
        for (let i = 0; i < length; i++) if (!free[i]) x[offset + i] = clean[cleanOffset + i]!;
      },
      violation: (x, offset, clean, cleanOffset, length) =>
        Array.from({ length }).some((_, i) => !free[i] && x[offset + i] !== clean[cleanOffset + i])
          ? 'changed'
          : undefined,
    };
    const { x, decided } = await attackFunction(
      attack,
      linear,
      goal,
      { ...ball(norm), constraint: keep },
      x0,
      { options: { ...options, queries: 1500 } },
    );
    expect([...decided.values()].every(({ reached }) => reached)).toBe(true);
    for (let i = 0; i < x.length; i++) if (!free[i % SIZE]) expect(x[i]).toBe(x0[i]);
  });

  it('takes bounds of another width as they are', async () => {
    const few = { ...options, queries: 1000 };
    const wide = x0.map((v) => 8 * v - 4);
    const model: FunctionModel = {
      ...linear,
      answer: (x) => linear.answer(Float32Array.from(x, (v) => (v + 4) / 8)),
    };
    const a = await attackFunction(attack, linear, goal, ball(norm), x0, { options: few });
    const b = await attackFunction(attack, model, goal, { ...ball(norm), bounds: [-4, 4] }, wide, {
      options: few,
    });
    for (let s = 0; s < N; s++) {
      const [near, far] = [a, b].map(({ x }, i) => distance(norm, x, i ? wide : x0, s * SIZE, SIZE));
      expect(far! / (norm === 'l0' ? 1 : 8) / near!).toBeGreaterThan(0.8);
      expect(far! / (norm === 'l0' ? 1 : 8) / near!).toBeLessThan(1.25);
    }
  });

  it('works where bounds are open', async () => {
    const open = { ...ball(norm), bounds: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] } as const;
    const { x, decided } = await attackFunction(attack, linear, goal, open, x0, {
      options: { ...options, queries: 1000 },
    });
    expect([...decided.values()].every(({ reached }) => reached)).toBe(true);
    expect(x.every(Number.isFinite)).toBe(true);
  });

  it('starts from another sample where noise finds nothing, and ends without one', async () => {
    /** Class 1 only very near to one point. */
    const rare: FunctionModel = {
      ...linear,
      answer: (x) => [0, x.every((v) => Math.abs(v - 0.9) < 0.02) ? 1 : -1],
    };
    const two = new Float32Array(2 * SIZE).fill(0.1, 0, SIZE).fill(0.9, SIZE);
    const run = (samples: Float32Array, labels: number[]) =>
      attackFunction(attack, rare, classificationGoal(labels, 2), ball(norm), samples, {
        todo: [0],
        options: { ...options, queries: 500, ...('initSize' in attack.defaults && { initSize: 20 }) },
      });
    const alone = await run(two.subarray(0, SIZE), [0]);
    expect(alone.decided.get(0)!.reached).toBe(false);
    expect(alone.x).toEqual(two.subarray(0, SIZE));
    // RayS knows no starting points, and looks for none.
    if (attack === (rays as unknown)) return;
    const other = await run(two, [0, 1]);
    expect(other.decided.get(0)!.reached).toBe(true);
    expect(argmax(Float32Array.from(rare.answer(other.x.subarray(0, SIZE))), 0, 2)).toBe(1);
  });
});

it('finds a target class among the other samples, though the goal does not say where', async () => {
  // One sample of 41 is of class 2, and noise is of none.
  const model: FunctionModel = {
    sampleDims: [SIZE],
    classes: 3,
    answer: (x) =>
      x.every((v) => Math.abs(v - 0.95) < 0.02) ? [0, 0, 1] : x[0]! > 0.5 ? [0, 1, 0] : [1, 0, 0],
  };
  const samples = new Float32Array(41 * SIZE).fill(0.1);
  samples.fill(0.95, 33 * SIZE, 34 * SIZE);
  const { decided } = await attackFunction(
    hopSkipJump,
    model,
    classificationGoal(new Int32Array(41), 3, new Int32Array(41).fill(2)),
    ball('l2'),
    samples,
    { todo: [0], options: { queries: 300 } },
  );
  expect(decided.get(0)!.reached).toBe(true);
});

describe.each(named(CASES))('%s in %s', (_id, norm, [attack, , options, share]) => {
  it('comes near the least distance on a linear model', async () => {
    const { x, decided } = await attackFunction(attack, linear, goal, ball(norm), x0, { options });
    for (let s = 0; s < N; s++) {
      expect(decided.get(s)!.reached).toBe(true);
      const far = distance(norm, x, x0, s * SIZE, SIZE) / least(norm, s);
      expect(far, `sample ${s}`).toBeGreaterThan(1 - 1e-4);
      expect(far, `sample ${s}`).toBeLessThan(share);
    }
  });
});

describe('pointwise', () => {
  it('leaves no element that could go back by itself', async () => {
    const { x, decided } = await attackFunction(pointwise, linear, goal, ball('l0'), x0, {
      options: { restarts: 1 },
    });
    for (let s = 0; s < N; s++) {
      expect(decided.get(s)!.reached).toBe(true);
      const example = x.slice(s * SIZE, (s + 1) * SIZE);
      for (let i = 0; i < SIZE; i++) {
        if (example[i] === x0[s * SIZE + i]) continue;
        const back = example.slice();
        back[i] = x0[s * SIZE + i]!;
        expect(goal.reached(s, Float32Array.from(linear.answer(back)), 0)).toBe(false);
      }
    }
  });
});

describe('rays', () => {
  it('is not random, and ends by itself', async () => {
    const run = (seed: number) =>
      attackFunction(rays, linear, goal, ball('linf'), x0, { seed, options: { queries: 100000 } });
    const a = await run(1);
    expect((await run(2)).x).toEqual(a.x);
    for (const { asked } of a.decided.values()) expect(asked).toBeLessThan(2000);
  });
});
