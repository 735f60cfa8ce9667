import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../core/random.ts';
import type { Model } from '../onnx/model.ts';
import { f32 } from '../runtime/array.ts';
import { type Engine, startEngine } from '../runtime/engine.ts';
import { openTarget } from '../runtime/target.ts';
import { type AscentOptions, ascend } from './ascent.ts';
import { argmax, binaryGoal, classificationGoal, type Goal, multilabelGoal, regressionGoal } from './goal.ts';
import { type Ball, distance } from './norm.ts';
import { hiddenModel, linearModel, randomRows } from './small-model.fixture.ts';
import { evaluation } from './step.ts';

const D = 5;
let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

const plain: AscentOptions = {
  steps: 6,
  stepSize: 0.1,
  restarts: 2,
  batch: 8,
  rng: (sample, restart) => randomFrom(1, 'ascent', sample, restart),
};
const linf: Ball = { norm: 'linf', eps: 0.3, bounds: [0, 1] };
const never: Goal = {
  ...classificationGoal([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0], 3),
  reached: () => false,
};

async function climb(
  model: Model,
  goal: Goal,
  x0: Float32Array,
  n: number,
  options: Partial<AscentOptions> = {},
  ball = linf,
  todo = Array.from({ length: n }, (_, i) => i),
) {
  const target = openTarget(engine, model);
  const x = x0.slice();
  const decided: [number, boolean][] = [];
  const reached = await ascend(target, goal, ball, x0, x, todo, {
    ...plain,
    decided: (sample, ok) => decided.push([sample, ok]),
    ...options,
  });
  await target.close();
  return { x, decided, reached, queries: target.queries };
}

describe('ascend', () => {
  const x0 = randomRows('x0', 13, D);
  const net = hiddenModel(D, 8, 3);
  let labels: Goal;
  /** What the model says of clean samples, so that an attack has something to do. */
  beforeAll(async () => {
    const target = openTarget(engine, net);
    const session = await target.compile('clean', 13, ({ logits }) => ({ logits }));
    const { logits } = await session.run({ x: f32(x0.slice(), [13, D]) });
    labels = classificationGoal(
      Array.from({ length: 13 }, (_, i) => argmax(logits!.data as Float32Array, i * 3, 3)),
      3,
    );
    await target.close();
  });

  it.each(['linf', 'l2', 'l1'] as const)(
    'in %s gives the same whatever the batch and the order of samples',
    async (norm) => {
      const ball: Ball = { norm, eps: { linf: 0.06, l2: 0.12, l1: 0.16 }[norm], bounds: [0, 1] };
      const stepSize = ball.eps / 3;
      const whole = await climb(net, labels, x0, 13, { stepSize }, ball);
      expect(whole.reached.size).toBeGreaterThan(0);
      expect(whole.reached.size).toBeLessThan(13);
      // Steps by signs are the same bytes; l2 steps carry the rounding of the runtime's vectorised kernels.
      const same = (x: Float32Array, what: string) => {
        if (norm !== 'l2') expect(x, what).toEqual(whole.x);
        x.forEach((v, i) => {
          expect(Math.abs(v - whole.x[i]!), what).toBeLessThan(1e-6);
        });
      };
      for (const batch of [1, 2, 3, 5, 13, 64]) {
        const other = await climb(net, labels, x0, 13, { batch, stepSize }, ball);
        same(other.x, `batch ${batch}`);
        expect([...other.reached].sort()).toEqual([...whole.reached].sort());
      }
      const backwards = Array.from({ length: 13 }, (_, i) => 12 - i);
      same((await climb(net, labels, x0, 13, { batch: 4, stepSize }, ball, backwards)).x, 'backwards');
    },
  );

  it('touches the rows of its own samples only, and gives each in the ball', async () => {
    const todo = [3, 11, 4];
    const { x, decided } = await climb(net, labels, x0, 13, {}, linf, todo);
    for (let i = 0; i < 13; i++) {
      const far = distance('linf', x, x0, i * D, D);
      if (todo.includes(i)) expect(far).toBeLessThanOrEqual(0.3 + 1e-6);
      else expect(far).toBe(0);
    }
    expect(decided.map(([s]) => s).sort((a, b) => a - b)).toEqual([3, 4, 11]);
  });

  it('leaves the end of a single step to a caller who judges it', async () => {
    const single = { steps: 1, restarts: 0, stepSize: 0.3 };
    const asked = await climb(net, labels, x0, 13, single);
    const judged = await climb(net, labels, x0, 13, { ...single, isJudged: true });
    expect(asked.reached.size).toBeGreaterThan(0);
    expect(asked.queries).toEqual({ forward: 26, gradient: 13 });
    expect(judged.queries).toEqual({ forward: 13, gradient: 13 });
    expect(judged.decided.every(([, ok]) => !ok)).toBe(true);
    // What was reached is the same point; elsewhere the end stands where the start may have had the higher loss.
    for (const i of asked.reached)
      expect(judged.x.slice(i * D, (i + 1) * D)).toEqual(asked.x.slice(i * D, (i + 1) * D));
    // Several steps or starts have to be compared.
    for (const more of [{ steps: 2 }, { restarts: 2 }]) {
      const options = { ...single, ...more };
      const [one, other] = [
        await climb(net, labels, x0, 13, options),
        await climb(net, labels, x0, 13, { ...options, isJudged: true }),
      ];
      expect(other.x).toEqual(one.x);
      expect(other.queries).toEqual(one.queries);
    }
  });

  it('does nothing for no samples', async () => {
    const { x, decided, reached, queries } = await climb(net, labels, x0, 0);
    expect([x, decided, reached.size]).toEqual([x0, [], 0]);
    expect(queries).toEqual({ forward: 0, gradient: 0 });
  });

  it.each([
    [1, 1, 1],
    [3, 8, 2],
    [8, 8, 1],
    [13, 4, 3],
    [13, 5, 0],
    [9, 8, 2],
  ])('counts what it asks of the model: %d samples, batch %d, %d restarts', async (n, batch, restarts) => {
    const { queries, decided } = await climb(net, never, x0, n, { batch, restarts });
    const starts = Math.max(1, restarts);
    expect(queries).toEqual({ forward: n * starts * (6 + 1), gradient: n * starts * 6 });
    expect(decided.length).toBe(n);
    expect(decided.every(([, ok]) => !ok)).toBe(true);
  });

  it('counts nothing more for samples that fell', async () => {
    const fallen: Goal = { ...labels, reached: () => true };
    const { queries, x, reached } = await climb(net, fallen, x0, 13, { restarts: 0 });
    expect(queries).toEqual({ forward: 13, gradient: 13 });
    expect(reached.size).toBe(13);
    expect(x).toEqual(x0);
  });

  it('decides every sample exactly once', async () => {
    const { decided, reached } = await climb(net, labels, x0, 13, { batch: 4, restarts: 3 });
    expect(decided.map(([s]) => s).sort((a, b) => a - b)).toEqual(Array.from({ length: 13 }, (_, i) => i));
    expect(new Set(decided.filter(([, ok]) => ok).map(([s]) => s))).toEqual(reached);
  });

  it('is never worse for more steps or more restarts', async () => {
    const lossOf = async (options: Partial<AscentOptions>) => {
      const { x } = await climb(net, { ...labels, reached: () => false }, x0, 13, options);
      const target = openTarget(engine, net);
      const session = await target.compile('loss', 13, (g) => evaluation(g, labels));
      const out = await session.run({
        x: { dtype: 'float32', dims: [13, D], data: x },
        glacis_goal: labels.feed(Array.from({ length: 13 }, (_, i) => i)),
      });
      return Array.from(out.loss!.data as Float32Array);
    };
    const few = await lossOf({ steps: 2, restarts: 1 });
    const more = await lossOf({ steps: 9, restarts: 1 });
    const again = await lossOf({ steps: 9, restarts: 3 });
    for (let i = 0; i < 13; i++) {
      expect(more[i]!).toBeGreaterThanOrEqual(few[i]! - 1e-6);
      expect(again[i]!).toBeGreaterThanOrEqual(more[i]! - 1e-6);
    }
  });

  it('tries another start where the first fails, with the stream of that start', async () => {
    const asked: [number, number][] = [];
    await climb(net, never, x0, 3, {
      restarts: 3,
      rng: (sample, restart) => {
        asked.push([sample, restart]);
        return randomFrom(1, sample, restart);
      },
    });
    const all = [0, 1, 2].flatMap((s) => [0, 1, 2].map((r) => [s, r]));
    expect(asked.sort((a, b) => a[0] - b[0] || a[1] - b[1])).toEqual(all);
  });

  it('starts from the sample itself without restarts', async () => {
    const { x } = await climb(net, never, x0, 2, {
      restarts: 0,
      steps: 1,
      stepSize: 0,
      rng: () => {
        throw new Error('no randomness is wanted');
      },
    });
    expect(x.subarray(0, 2 * D)).toEqual(x0.subarray(0, 2 * D));
  });

  it('stops when cancelled, and what was decided stays', async () => {
    const stop = new AbortController();
    const target = openTarget(engine, net);
    const x = x0.slice();
    const decided = new Map<number, Float32Array>();
    const run = ascend(
      target,
      labels,
      linf,
      x0,
      x,
      Array.from({ length: 13 }, (_, i) => i),
      {
        ...plain,
        batch: 4,
        signal: stop.signal,
        decided(sample) {
          decided.set(sample, x.slice(sample * D, (sample + 1) * D));
          if (decided.size === 3) stop.abort();
        },
      },
    );
    await expect(run).rejects.toMatchObject({ code: 'run/cancelled' });
    expect(decided.size).toBeGreaterThanOrEqual(3);
    expect(decided.size).toBeLessThan(13);
    for (const [sample, row] of decided) expect(x.slice(sample * D, (sample + 1) * D)).toEqual(row);
    await target.close();
  });

  it('does not start when it is cancelled already', async () => {
    const signal = AbortSignal.abort();
    await expect(climb(net, labels, x0, 13, { signal })).rejects.toMatchObject({ code: 'run/cancelled' });
  });

  it('runs a model whose file fixes the batch size at that size', async () => {
    const free = await climb(net, labels, x0, 13);
    const fixed = await climb(hiddenModel(D, 8, 3, 8), labels, x0, 13, { batch: 3 });
    expect(fixed.x).toEqual(free.x);
    expect(fixed.queries).toEqual(free.queries);
  });

  it.each<Partial<AscentOptions>>([
    { steps: 0 },
    { steps: 1.5 },
    { restarts: -1 },
    { batch: 0 },
    { batch: Number.NaN },
    { stepSize: Number.NaN },
  ])('refuses %j', async (options) => {
    await expect(climb(net, labels, x0, 13, options)).rejects.toMatchObject({ code: 'option/invalid' });
  });

  it('leaves a point of the ball where the loss is never a number', async () => {
    const infinite = linearModel([Number.POSITIVE_INFINITY, 1, 1, 1], [0, 0]);
    const start = Float32Array.of(0.5, 0.5);
    const target = openTarget(engine, infinite);
    const x = new Float32Array(2).fill(7);
    await ascend(target, { ...labels, reached: () => false }, linf, start, x, [0], plain);
    await target.close();
    expect(distance('linf', x, start, 0, 2)).toBeLessThanOrEqual(0.3 + 1e-6);
  });
});

describe('ascend on a linear model meets the closed form', () => {
  const w = [0.5, -2, 0.25, 1, 3];
  const x0 = Float32Array.of(0.5, 0.5, 0.5, 0.5, 0.9);
  const value = (x: ArrayLike<number>) => w.reduce((s, v, i) => s + v * x[i]!, 0);
  const best = {
    // Coordinates move by eps, or as far as the bounds let them.
    linf: [0.7, 0.3, 0.7, 0.7, 1],
    // The last coordinate is at its bound; the others share what is left of 0.2² along w.
    l2: (() => {
      const rest = Math.sqrt(0.2 ** 2 - 0.1 ** 2) / Math.hypot(...w.slice(0, 4));
      return [...w.slice(0, 4).map((v) => 0.5 + v * rest), 1];
    })(),
    // The largest weight first, 0.1 of the way, then the second.
    l1: [0.5, 0.4, 0.5, 0.5, 1],
  };

  // In l2 the ball's projection comes before the bounds', so that what a bound cuts off is missing from the others.
  const share = { linf: 0.9999, l2: 0.98, l1: 0.999 };
  it.each(['linf', 'l2', 'l1'] as const)('in the %s ball, bounds included', async (norm) => {
    const ball: Ball = { norm, eps: 0.2, bounds: [0, 1] };
    const goal: Goal = { ...binaryGoal([0]), reached: () => false };
    const { x } = await climb(
      linearModel(w, [0]),
      goal,
      x0,
      1,
      { steps: 60, stepSize: 0.02, restarts: 0 },
      ball,
    );
    expect(value(x)).toBeGreaterThan(value(x0) + share[norm] * (value(best[norm]) - value(x0)));
    expect(value(x)).toBeLessThanOrEqual(value(best[norm]) + 1e-5);
  });

  it('for a target class, a multilabel model and a regression too', async () => {
    const two = linearModel([1, 0, -2, 1, 0, 3], [0, 0]);
    const from = Float32Array.of(0.5, 0.5, 0.5);
    const ball: Ball = { norm: 'linf', eps: 0.1, bounds: [0, 1] };
    const options = { steps: 1, stepSize: 0.1, restarts: 0 };
    const one = async (goal: Goal) =>
      Array.from((await climb(two, { ...goal, reached: () => false }, from, 1, options, ball)).x, (v) =>
        Number(v.toFixed(4)),
      );
    // Logits z₀ = x₀ − 2x₁, z₁ = x₁ + 3x₂; raising z₁ − z₀:
    expect(await one(classificationGoal([0], 2))).toEqual([0.4, 0.6, 0.6]);
    expect(await one(classificationGoal([0], 2, [1]))).toEqual([0.4, 0.6, 0.6]);
    // Labels 1 and 1, wrong in either: down with both, the second much less sure (z = −0.5 against 2).
    expect(await one(multilabelGoal([1, 1], 2))).toEqual([0.4, 0.6, 0.4]);
    // Target 0 and 0 and outputs −0.5 and 2: away from both.
    expect(await one(regressionGoal([0, 0], 2, 0.1))).toEqual([0.4, 0.6, 0.6]);
  });
});
