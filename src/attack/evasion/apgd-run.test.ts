import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { asked, gapBetween, hills, SIZE, victimIn, x0 } from '../hills.fixture.ts';
import { apgdL1Run } from './apgd-l1.ts';
import { apgdRun } from './apgd-run.ts';

const random = randomFrom(5, 'noise');

const clamp = (v: number, a: number, b: number) => Math.min(Math.max(v, a), b);

/** The published loop for linf and l2, in float64 and without care for speed. */
function published(norm: 'linf' | 'l2', eps: number, start: number[], steps: number): number[][] {
  const length = (d: number[]) => Math.sqrt(d.reduce((sum, v) => sum + v * v, 0));
  const project = (p: number[]) => {
    if (norm === 'linf') return p.map((v, i) => clamp(clamp(v, x0[i]! - eps, x0[i]! + eps), 0, 1));
    const d = p.map((v, i) => v - x0[i]!);
    const scale = Math.min(eps, length(d)) / (length(d) + 1e-12);
    return d.map((v, i) => clamp(x0[i]! + v * scale, 0, 1));
  };
  const points = [start];
  let x = start;
  let xOld = start;
  let { loss: lossBest, gradient } = hills(x);
  let [xBest, gradBest] = [x, gradient];
  const lossSteps = new Array<number>(steps).fill(0);
  let stepSize = 2 * eps;
  let k = Math.max(Math.trunc(0.22 * steps), 1);
  let counter = 0;
  let lossBestLastCheck = lossBest;
  let reducedLastCheck = true;
  for (let i = 0; i < steps; i++) {
    const a = i > 0 ? 0.75 : 1;
    const direction =
      norm === 'linf' ? [...gradient].map(Math.sign) : [...gradient].map((g) => g / length([...gradient]));
    const z = project(x.map((v, j) => v + stepSize * direction[j]!));
    const next = project(x.map((v, j) => v + (z[j]! - v) * a + (v - xOld[j]!) * (1 - a))).map(Math.fround);
    [xOld, x] = [x, next];
    points.push(x);
    const at = hills(Float32Array.from(x));
    gradient = at.gradient;
    lossSteps[i] = at.loss;
    if (at.loss > lossBest) [lossBest, xBest, gradBest] = [at.loss, x, gradient];
    if (++counter < k) continue;
    let t = 0;
    for (let c = 0; c < k; c++) if (lossSteps.at(i - c)! > lossSteps.at(i - c - 1)!) t++;
    const reduced: boolean = t <= k * 0.75 || (!reducedLastCheck && lossBestLastCheck >= lossBest);
    if (reduced) {
      stepSize /= 2;
      [x, gradient] = [xBest, gradBest];
    }
    reducedLastCheck = reduced;
    lossBestLastCheck = lossBest;
    k = Math.max(k - Math.max(Math.trunc(0.03 * steps), 1), Math.max(Math.trunc(0.06 * steps), 1));
    counter = 0;
  }
  return points;
}

/** Projection onto L1 ball and bounds by bisection. */
function projectL1(p: number[], eps: number): number[] {
  const at = (theta: number) =>
    p.map((v, i) => {
      const d = v - x0[i]!;
      return Math.sign(d) * Math.min(Math.max(Math.abs(d) - theta, 0), d < 0 ? x0[i]! : 1 - x0[i]!);
    });
  const length = (d: number[]) => d.reduce((sum, v) => sum + Math.abs(v), 0);
  let [low, high] = [0, 100];
  if (length(at(0)) <= eps) high = 0;
  for (let i = 0; i < 100 && high > 0; i++) {
    const middle = (low + high) / 2;
    if (length(at(middle)) > eps) low = middle;
    else high = middle;
  }
  return at(high).map((d, i) => Math.fround(x0[i]! + d));
}

/** The published loop for l1, with its schedule of larger balls. */
function publishedL1(eps: number, noise: number[], steps: number, large: boolean): number[][] {
  const iters = [Math.ceil(0.3 * steps), Math.ceil(0.3 * steps)];
  const phases = large
    ? [
        [3 * eps, iters[0]!],
        [2 * eps, iters[1]!],
        [eps, steps - iters[0]! - iters[1]!],
      ]
    : [[eps, steps]];
  const l0 = (p: number[]) => p.filter((v, i) => v !== x0[i]).length;
  const points: number[][] = [];
  let x = noise;
  for (const [radius, n] of phases as [number, number][]) {
    x = projectL1(x, radius);
    points.push(x);
    let { loss: lossBest, gradient } = hills(Float32Array.from(x));
    let [xBest, gradBest] = [x, gradient];
    let topk = large ? l0(x) / SIZE / 1.5 : 0.2;
    let spOld = large ? l0(x) : SIZE;
    let stepSize = radius;
    const k = Math.max(Math.trunc(0.04 * n), 1);
    let counter = 0;
    for (let i = 0; i < n; i++) {
      const sorted = [...gradient].map(Math.abs).sort((a, b) => a - b);
      const threshold = sorted[Math.trunc(clamp((1 - topk) * SIZE, 0, SIZE - 1))]!;
      const sparse = [...gradient].map((g) => (Math.abs(g) >= threshold ? Math.sign(g) : 0));
      const count = sparse.filter((s) => s !== 0).length;
      x = projectL1(
        x.map((v, j) => v + (stepSize * sparse[j]!) / (count + 1e-10)),
        radius,
      );
      points.push(x);
      const at = hills(Float32Array.from(x));
      gradient = at.gradient;
      if (at.loss > lossBest) [lossBest, xBest, gradBest] = [at.loss, x, gradient];
      if (++counter < k) continue;
      const spCurr = l0(xBest);
      const sparser = spCurr / spOld < 0.95;
      topk = spCurr / SIZE / 1.5;
      stepSize = sparser ? radius : clamp(stepSize / 1.5, radius / 10, radius);
      spOld = spCurr;
      if (sparser) [x, gradient] = [xBest, gradBest];
      counter = 0;
    }
    x = xBest;
  }
  return points;
}

const expectSame = (points: number[][], expected: number[][]) =>
  expect(gapBetween(points, expected)).toBeLessThan(2e-5);

describe('a run of Auto-PGD', () => {
  it.each([
    ['linf', 0.3, 100],
    ['linf', 0.3, 7],
    ['l2', 0.9, 100],
  ] as const)(
    'asks in %s (eps %s) about the points that the published loop of %s steps visits',
    (norm, eps, steps) => {
      const start = Array.from(x0, (v, i) => Math.fround(clamp(v + (i % 2 ? 0.2 : -0.1) * eps, 0, 1)));
      const lossAt = (x: Float32Array) => victim.gradient(x);
      const victim = victimIn({ norm, eps, bounds: [0, 1] });
      const { points, questions } = asked(
        apgdRun(victim, Float32Array.from(start), lossAt, { steps, rho: 0.75 }),
      );
      expectSame(points, published(norm, eps, start, steps));
      expect(questions.map((q) => q.kind)).toEqual([...new Array(steps).fill('gradient'), 'answers']);
    },
  );

  it.each([true, false])(
    'asks in l1 about the points that the published loop visits (larger balls first: %s)',
    (largeEps) => {
      const noise = Array.from({ length: SIZE }, () => Math.fround(random.normal()));
      const victim = victimIn({ norm: 'l1', eps: 1.3, bounds: [0, 1] });
      const start = Array.from(x0, (v, i) => Math.fround(v + noise[i]!));
      const { points, questions } = asked(
        apgdL1Run(victim, Float32Array.from(start), (x, probe) => victim.gradient(x, { probe }), {
          steps: 50,
          largeEps,
        }),
      );
      expectSame(points, publishedL1(1.3, start, 50, largeEps));
      const probes = questions.filter((q) => q.probe).length;
      expect(probes).toBe(largeEps ? 2 * (15 + 1) : 0);
    },
  );

  it('takes gradients and losses that are no numbers for none', () => {
    const victim = victimIn({ norm: 'l2', eps: 0.5, bounds: [0, 1] });
    const talk = apgdRun(victim, x0.slice(), (x) => victim.gradient(x), { steps: 30, rho: 0.75 });
    const gradient = new Float32Array(SIZE).fill(Number.NaN);
    gradient[3] = Number.POSITIVE_INFINITY;
    let step = talk.next();
    let highest = x0[3]!;
    while (!step.done) {
      const question = step.value;
      const point = question.kind === 'gradient' ? question.point : question.points;
      highest = Math.max(highest, point[3]!);
      for (const [i, v] of point.entries()) if (i !== 3) expect(v).toBe(x0[i]);
      const answer = { logits: new Float32Array(2), margins: [1], reached: [false] };
      step = talk.next({ ...answer, loss: Number.NaN, gradient });
    }
    expect(highest).toBeCloseTo(Math.min(1, x0[3]! + 0.5), 5);
  });
});
