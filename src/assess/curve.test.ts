import { describe, expect, it } from 'vitest';
import { planAttack } from '../attack/registry.ts';
import { curveOf } from './curve.ts';
import { cellRecord, cleanRecord } from './record.ts';
import type { Cell, SummaryFacts } from './summarise.ts';

const N = 8;

function facts(): SummaryFacts {
  const clean = cleanRecord('classification', N, 3);
  clean.correct.set([1, 1, 1, 1, 1, 1, 0, 1]);
  return { task: 'classification', classes: 3, bounds: [0, 1], labels: new Int32Array(N), clean };
}

/** A cell whose sample `i` fell at `distances[i]`, where that is a number. */
function found(distances: readonly (number | undefined)[], decided = N) {
  const record = cellRecord('classification', N, 3);
  record.decided.fill(1, 0, decided);
  for (const [i, d] of distances.entries()) {
    if (d === undefined) continue;
    record.success[i] = 1;
    record.distance[i] = d;
  }
  const plan = planAttack({ name: 'pgd', options: {} });
  const cell: Cell = { plan, measure: 'linf', eps: 1, radii: [1], perSample: 'x.npz' };
  return { cell, record };
}

describe('a security curve', () => {
  it('falls at the nearest example of each sample, over all attacks', () => {
    const one = found([0.1, 0.5, undefined, 0.2]);
    const two = found([0.3, 0.4, undefined, undefined, 0.25]);
    const curve = curveOf(facts(), 'linf', [one, two])!;
    expect(curve.points.map(([eps, accuracy]) => [Number(eps.toFixed(4)), accuracy * N])).toEqual([
      [0, 7],
      [0.1, 6],
      [0.2, 5],
      [0.25, 4],
      [0.4, 3],
    ]);
    // Half of seven right answers, rounded up, are gone with the fourth.
    expect(curve.halving).toBeCloseTo(0.4, 6);
  });

  it('knows no halving where fewer than half fell, and nothing without a decided sample', () => {
    expect(curveOf(facts(), 'linf', [found([0.1])])!.halving).toBeNull();
    expect(curveOf(facts(), 'linf', [found([], 0)])).toBeUndefined();
    expect(curveOf(facts(), 'l2', [found([0.1])])).toBeUndefined();
  });

  it('counts only the samples that every attack has decided', () => {
    expect(curveOf(facts(), 'linf', [found([0.1]), found([0.2, 0.2], 3)])!.n).toBe(3);
  });

  it('has a hundred points at most, evenly among the samples, and ends where the last one falls', () => {
    const n = 1000;
    const clean = cleanRecord('classification', n, 3);
    clean.correct.fill(1);
    const record = cellRecord('classification', n, 3);
    record.decided.fill(1);
    record.success.fill(1);
    record.distance.set(Float32Array.from({ length: n }, (_, i) => (n - i) / 1024));
    const { points, halving } = curveOf({ ...facts(), clean }, 'linf', [{ ...found([]), record }])!;
    expect(points).toHaveLength(101);
    expect(points[1]).toEqual([10 / 1024, 0.99]);
    expect(points.at(-1)).toEqual([1000 / 1024, 0]);
    expect(halving).toBe(500 / 1024);
  });
});
