import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { classificationGoal } from '../../threat/goal.ts';
import { type Ball, distance } from '../../threat/norm.ts';
import { violationOf } from '../../threat/violation.ts';
import { attackFunction, type FunctionModel } from '../function-model.fixture.ts';
import { square } from './square.ts';
import { eachIn, gridOf, randomWindow, shareAt, windowSize } from './square-grid.ts';
import { lengthProposals } from './square-lengths.ts';
import { squarePattern } from './square-pattern.ts';
import { signProposals } from './square-signs.ts';

/** The published pile of rectangles, as it is written there. */
function etaRectangles(rows: number, columns: number, power: number, norm: 'l2' | 'l1'): number[][] {
  const delta = Array.from({ length: rows }, () => new Array<number>(columns).fill(0));
  const [xc, yc] = [Math.trunc(rows / 2) + 1, Math.trunc(columns / 2) + 1];
  let [a, b] = [xc - 1, yc - 1];
  for (let k = 0; k < Math.max(xc, yc); k++) {
    for (let i = Math.max(a, 0); i < Math.min(a + (2 * k + 1), rows); i++)
      for (let j = Math.max(0, b); j < Math.min(b + (2 * k + 1), columns); j++)
        delta[i]![j]! += 1 / (k + 1) ** power;
    a--;
    b--;
  }
  return unit(delta, norm);
}

function unit(values: number[][], norm: 'l2' | 'l1'): number[][] {
  const flat = values.flat();
  const length = norm === 'l2' ? Math.hypot(...flat) : flat.reduce((sum, v) => sum + Math.abs(v), 0);
  return values.map((row) => row.map((v) => v / length));
}

describe('the patterns of Square Attack', () => {
  it.each(['l2', 'l1'] as const)('are the published ones in %s, lying or standing', (norm) => {
    for (const s of [3, 5, 6, 23]) {
      const half = Math.trunc(s / 2);
      const upper = etaRectangles(half, s, norm === 'l2' ? 2 : 4, norm);
      const lower = etaRectangles(s - half, s, norm === 'l2' ? 2 : 4, norm);
      const eta = unit([...upper, ...lower.map((row) => row.map((v) => -v))], norm);
      const flat = eta.flat();
      const standing = Array.from({ length: s * s }, (_, i) => eta[i % s]![Math.trunc(i / s)]!);
      for (const [i, v] of squarePattern(norm, s, s, false).entries()) expect(v).toBeCloseTo(flat[i]!, 12);
      for (const [i, v] of squarePattern(norm, s, s, true).entries()) expect(v).toBeCloseTo(standing[i]!, 12);
    }
  });

  it('of a single row have two halves of opposite sign', () => {
    const signs = Array.from(squarePattern('l2', 1, 7, true), Math.sign);
    expect(signs).toEqual([1, 1, 1, -1, -1, -1, -1]);
  });
});

describe('the windows of Square Attack', () => {
  it('shrink on the published schedule', () => {
    const at = [
      0, 10, 11, 50, 51, 200, 201, 500, 501, 1000, 1001, 2000, 2001, 4000, 4001, 6000, 6001, 8000, 8001,
    ];
    expect(at.map((i) => 0.8 / shareAt(i, 0.8))).toEqual(
      [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9].map((h) => 2 ** h),
    );
  });

  it('have the published sides in pictures, and cover the same share of a single row', () => {
    const picture = gridOf({ channels: 3, height: 28, width: 28, layout: 'chw' }, 3 * 784);
    const sides = (p: number, least: number, odd: boolean) => windowSize(picture, p, { least, odd });
    expect(sides(0.8, 1, false)).toEqual({ height: 25, width: 25 });
    expect(sides(0.8 / 128, 1, false)).toEqual({ height: 2, width: 2 });
    expect(sides(0.8 / 128, 3, true)).toEqual({ height: 3, width: 3 });
    expect(sides(0.4, 3, true)).toEqual({ height: 19, width: 19 });
    const row = gridOf(undefined, 40);
    expect(windowSize(row, 0.8, { least: 1, odd: false })).toEqual({ height: 1, width: 32 });
    expect(windowSize(row, 0.001, { least: 1, odd: false })).toEqual({ height: 1, width: 1 });
    expect(windowSize(gridOf(undefined, 2), 0.1, { least: 3, odd: true })).toEqual({ height: 1, width: 2 });
  });

  it('lie anywhere, and cover the same places whatever the order of the axes', () => {
    const rng = randomFrom(1, 'windows');
    const chw = gridOf({ channels: 3, height: 5, width: 4, layout: 'chw' }, 60);
    const hwc = gridOf({ channels: 3, height: 5, width: 4, layout: 'hwc' }, 60);
    const tops = new Set<number>();
    for (let i = 0; i < 60; i++) tops.add(randomWindow(chw, { height: 2, width: 2 }, rng).top);
    expect([...tops].sort()).toEqual([0, 1, 2, 3]);
    const window = { top: 3, left: 2, height: 2, width: 2 };
    const seen: number[][] = [[], []];
    eachIn(chw, 1, window, (i) => seen[0]!.push(i));
    eachIn(hwc, 1, window, (i) => seen[1]!.push(i));
    expect(seen[0]).toEqual([20 + 14, 20 + 15, 20 + 18, 20 + 19]);
    expect(seen[1]).toEqual(seen[0]!.map((i) => (i - 20) * 3 + 1));
  });
});

const IMAGE = [3, 10, 10];
const SIZE = 300;
const rng = randomFrom(2, 'square');
const x0 = Float32Array.from({ length: SIZE }, () => rng.uniform());

describe.each([
  ['linf', 0.1],
  ['l2', 1],
  ['l1', 6],
] as const)('the points that Square Attack tries in %s', (norm, eps) => {
  const ball: Ball = { norm, eps, bounds: [0, 1] };
  const grid = gridOf({ channels: 3, height: 10, width: 10, layout: 'chw' }, SIZE);
  const proposals = norm === 'linf' ? signProposals(grid, ball, x0) : lengthProposals(grid, ball, x0);

  it('lie in ball and bounds, near the surface', () => {
    const x = x0.slice();
    proposals.start(x, rng);
    for (let i = 0; i < 300; i++) {
      expect(violationOf(ball, x, x0, 0, SIZE)).toBeUndefined();
      const far = distance(norm, x, x0, 0, SIZE);
      expect(far).toBeGreaterThan((norm === 'linf' ? 0.999 : 0.7) * eps);
      proposals.change(x, shareAt(i * 20, 0.8), rng);
    }
  });

  it('differ in windows only, and say when nothing changed', () => {
    const x = x0.slice();
    proposals.start(x, rng);
    let [changes, others] = [0, 0];
    for (let i = 0; i < 200; i++) {
      const before = x.slice();
      const said = proposals.change(x, 0.01, rng);
      const count = x.reduce((sum, v, j) => sum + (v === before[j] ? 0 : 1), 0);
      if (norm === 'linf') {
        expect(said).toBe(count > 0);
        expect(count).toBeLessThanOrEqual(3);
      }
      if (said) changes++;
      else others++;
    }
    expect(changes).toBeGreaterThan(100);
    expect(others > 0).toBe(norm === 'linf');
  });
});

describe('Square Attack', () => {
  /** Two scores: the sum of some elements against a threshold. */
  const model: FunctionModel = {
    sampleDims: IMAGE,
    classes: 2,
    answer: (x) => {
      let sum = 0;
      for (let i = 0; i < 100; i++) sum += x[i]! - x0[i]!;
      return [7.5 - sum, sum];
    },
  };
  const ball: Ball = { norm: 'linf', eps: 0.1, bounds: [0, 1] };

  it('asks about the clean sample first, and never more than it may', async () => {
    const points: Float32Array[] = [];
    const watched = {
      ...model,
      answer: (x: Float32Array) => {
        points.push(x.slice());
        return [1, 0];
      },
    };
    const goal = classificationGoal([0], 2);
    for (const restarts of [1, 3]) {
      points.length = 0;
      const outcome = await attackFunction(square, watched, goal, ball, x0, {
        options: { queries: 100, restarts },
      });
      expect(points[0]).toEqual(x0);
      expect(points.length).toBeLessThanOrEqual(100);
      expect(points.length).toBeGreaterThan(90);
      expect(outcome.decided.get(0)).toEqual({ reached: false, asked: points.length });
    }
  });

  it('comes to the smallest windows within its budget, unless the schedule is left as published', async () => {
    const changesAtTheEnd = async (rescale: boolean) => {
      const points: Float32Array[] = [];
      const deaf = {
        ...model,
        answer: (x: Float32Array) => {
          points.push(x.slice());
          return [1, 0];
        },
      };
      await attackFunction(square, deaf, classificationGoal([0], 2), ball, x0, {
        options: { queries: 200, rescale },
      });
      // Nothing lowers the margin, so that every point differs from the first one by its own window.
      return points.slice(-20).map((x) => x.reduce((sum, v, i) => sum + (v === points[1]![i] ? 0 : 1), 0));
    };
    expect(Math.max(...(await changesAtTheEnd(true)))).toBeLessThanOrEqual(3);
    expect(Math.max(...(await changesAtTheEnd(false)))).toBeGreaterThan(10);
  });

  it('stops at the first point that fools the model', async () => {
    const outcome = await attackFunction(square, model, classificationGoal([0], 2), ball, x0);
    expect(outcome.decided.get(0)!.reached).toBe(true);
    expect(outcome.queries).toBeLessThan(2000);
    const [own, other] = Array.from(model.answer(outcome.x));
    expect(other).toBeGreaterThan(own!);
  });

  it('goes on from points that lower the margin only', async () => {
    let least = Number.POSITIVE_INFINITY;
    const margins: number[] = [];
    const far: FunctionModel = {
      ...model,
      answer: (x) => {
        const [a, b] = Array.from(model.answer(x));
        margins.push(a! - b! + 20);
        return [a! + 20, b!];
      },
    };
    const outcome = await attackFunction(square, far, classificationGoal([0], 2), ball, x0, {
      options: { queries: 600 },
    });
    for (const m of margins) least = Math.min(least, m);
    const [a, b] = Array.from(model.answer(outcome.x));
    expect(a! + 20 - b!).toBeCloseTo(least, 5);
    expect(least).toBeLessThan(margins[1]! - 4);
  });
});
