import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import { binaryGoal, classificationGoal } from '../../threat/goal.ts';
import type { Ball } from '../../threat/norm.ts';
import { hiddenModel, linearModel, randomRows } from '../../threat/small-model.fixture.ts';
import { attackModel } from '../model-run.fixture.ts';
import { universal } from './universal.ts';

const D = 8;
const N = 30;
const W = [0.9, -0.4, 0.3, -1.1, 0.2, 0.7, -0.6, 0.5];
const x0 = randomRows('universal', N, D, -1, 1);
const logits = Array.from({ length: N }, (_, i) => W.reduce((sum, w, k) => sum + w * x0[i * D + k]!, 0.4));

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

const clip = (v: number, [low, high]: Ball['bounds']) => Math.min(high, Math.max(low, v));

describe.each(['ascent', 'deepfool'] as const)('a universal perturbation by %s', (method) => {
  it.each([
    ['linf', 0.15],
    ['l2', 0.4],
  ] as const)('is the best one where all samples need the same (%s)', async (norm, eps) => {
    // Only the samples on the upper side: −eps along the gradient's steepest direction is best for each of them.
    const upper = Array.from({ length: N }, (_, i) => i).filter((i) => logits[i]! > 0);
    const rows = Float32Array.from(upper.flatMap((i) => [...x0.subarray(i * D, (i + 1) * D)]));
    const gain = norm === 'linf' ? W.reduce((sum, w) => sum + Math.abs(w), 0) : Math.hypot(...W);
    const fall = upper.filter((i) => logits[i]! < 0.98 * eps * gain).length;
    const open: Ball = { norm, eps, bounds: [-9, 9] };
    const goal = binaryGoal(new Int32Array(upper.length).fill(1));
    const { reached, shared } = await attackModel(
      engine,
      linearModel(W, [0.4]),
      universal,
      goal,
      open,
      rows,
      {
        options: { method },
      },
    );
    const fell = [...reached.values()].filter(Boolean).length;
    expect(fall).toBeGreaterThan(2);
    expect(fell).toBeGreaterThanOrEqual(fall);
    expect(fell).toBeLessThan(upper.length);
    for (const [k, w] of W.entries()) expect(Math.sign(shared[k]!)).toBe(-Math.sign(w));
  });

  it('is the same for all samples, lies in its ball, and is what the run shares', async () => {
    const ball: Ball = { norm: 'linf', eps: 0.3, bounds: [-1, 1] };
    const labels = Int32Array.from({ length: N }, (_, i) => i % 3);
    const goal = classificationGoal(labels, 3);
    const model = hiddenModel(D, 12, 3);
    const options = { method, passes: 3 };
    const { x, shared, reached } = await attackModel(engine, model, universal, goal, ball, x0, { options });
    expect(reached.size).toBe(N);
    for (const v of shared) expect(Math.abs(v)).toBeLessThanOrEqual(0.3 + 1e-6);
    expect(shared.some((v) => v !== 0)).toBe(true);
    for (let i = 0; i < x.length; i++)
      expect(x[i]).toBe(Math.fround(clip(Math.fround(x0[i]! + shared[i % D]!), ball.bounds)));
  });
});

describe('a universal perturbation', () => {
  const ball: Ball = { norm: 'linf', eps: 0.2, bounds: [-1, 1] };
  const goal = binaryGoal(Int32Array.from(logits, (z) => (z > 0 ? 1 : 0)));
  const model = linearModel(W, [0.4]);

  it('is found on all samples, whichever are to be attacked', async () => {
    const whole = await attackModel(engine, model, universal, goal, ball, x0);
    const part = await attackModel(engine, model, universal, goal, ball, x0, { todo: [3, 7], batch: 5 });
    expect(part.shared).toEqual(whole.shared);
    expect([...part.reached.keys()]).toEqual([3, 7]);
    for (const i of [3, 7]) expect(part.reached.get(i)).toBe(whole.reached.get(i));
  });

  it('that an interrupted run has left is put on the rest as it is', async () => {
    const known = new Float32Array(D).fill(0.1);
    const { x, shared, gradient, forward } = await attackModel(engine, model, universal, goal, ball, x0, {
      known,
      todo: [0, 1],
    });
    expect(shared).toEqual(known);
    expect(gradient).toBe(0);
    expect(forward).toBe(2);
    expect(x[0]).toBe(Math.fround(clip(Math.fround(x0[0]! + known[0]!), ball.bounds)));
  });

  it('is not sought any longer once enough samples are fooled', async () => {
    const huge: Ball = { norm: 'linf', eps: 2, bounds: [-9, 9] };
    const ones = binaryGoal(new Int32Array(N).fill(1));
    const { gradient, reached } = await attackModel(engine, model, universal, ones, huge, x0);
    expect([...reached.values()].every(Boolean)).toBe(true);
    expect(gradient).toBeLessThan(3 * N);
  });
});
