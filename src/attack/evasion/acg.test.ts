import { expect, it } from 'vitest';
import { asked, gapBetween, gentleHills, victimIn, x0 } from '../hills.fixture.ts';
import { acg, acgRun } from './acg.ts';

const EPS = 0.3;
const clamp = (v: number, low: number, high: number) => Math.min(Math.max(v, low), high);
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);

/** The authors' loop in linf, in float64 and without care for speed. */
function published(start: number[], steps: number): { points: number[][]; kept: number } {
  const points = [start];
  const gradientAt = (x: number[]) => [...gentleHills(x).gradient];
  let x = start;
  let grad = gradientAt(x);
  let lossBest = gentleHills(x).loss;
  let best = { x, grad, gradBefore: grad, direction: grad };
  let gradBefore: number[] = [];
  let direction: number[] = [];
  const losses = new Array<number>(steps).fill(0);
  let stepSize = 2 * EPS;
  let k = Math.max(Math.trunc(0.22 * steps), 1);
  let counter = 0;
  let lossBestLastCheck = lossBest;
  let reducedLastCheck = true;
  let kept = 0;
  for (let i = 0; i < steps; i++) {
    let beta = 0;
    if (i > 0) {
      const y = grad.map((g, j) => -g + gradBefore[j]!);
      beta = Math.max(
        0,
        -dot(
          grad.map((g) => -g),
          y,
        ) / dot(direction, y),
      );
      if (beta > 0) kept++;
    }
    direction = i === 0 ? grad : grad.map((g, j) => g + beta * direction[j]!);
    gradBefore = grad;
    x = x.map((v, j) =>
      Math.fround(clamp(clamp(v + stepSize * Math.sign(direction[j]!), x0[j]! - EPS, x0[j]! + EPS), 0, 1)),
    );
    points.push(x);
    const { loss } = gentleHills(x);
    grad = gradientAt(x);
    losses[i] = loss;
    if (loss > lossBest) {
      lossBest = loss;
      best = { x, grad, gradBefore, direction };
    }
    if (++counter < k) continue;
    let t = 0;
    for (let c = 0; c < k; c++) if (losses.at(i - c)! > losses.at(i - c - 1)!) t++;
    const reduced: boolean = t <= k * 0.75 || (!reducedLastCheck && lossBestLastCheck >= lossBest);
    if (reduced) {
      stepSize /= 2;
      ({ x, grad, gradBefore, direction } = best);
    }
    reducedLastCheck = reduced;
    lossBestLastCheck = lossBest;
    k = Math.max(k - Math.max(Math.trunc(0.03 * steps), 1), Math.max(Math.trunc(0.06 * steps), 1));
    counter = 0;
  }
  return { points, kept };
}

it.each([
  [100, 3],
  [9, 0],
])(
  'auto conjugate gradient asks about the points that the published loop of %s steps visits',
  (steps, conjugate) => {
    const victim = victimIn({ norm: 'linf', eps: EPS, bounds: [0, 1] });
    const start = Array.from(x0, (v) => Math.fround((clamp(v - EPS, 0, 1) + clamp(v + EPS, 0, 1)) / 2));
    const expected = published(start, steps);
    const options = { ...acg.defaults, steps };
    const { points, questions } = asked(acgRun(victim, Float32Array.from(start), options), gentleHills);
    expect(expected.kept).toBeGreaterThanOrEqual(conjugate);
    expect(gapBetween(points, expected.points)).toBeLessThan(2e-5);
    expect(questions.at(-1)!.kind).toBe('answers');
    expect(questions.slice(0, -1).every((q) => q.kind === 'gradient' && q.loss === 'margin')).toBe(true);
  },
);
