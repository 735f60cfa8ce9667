import { describe, expect, it } from 'vitest';
import { randomFrom } from '../core/random.ts';
import { costOf, toPlaneAtCost } from './cost-plane.ts';
import { toHyperplane } from './hyperplane-projection.ts';

const OPEN: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

describe.each(['linf', 'l2', 'l1'] as const)('the cheapest step to a plane in %s', (norm) => {
  it('costs the gap over the dual norm, without bounds', () => {
    const rng = randomFrom(1, norm);
    for (let trial = 0; trial < 20; trial++) {
      const w = Float32Array.from({ length: 7 }, () => rng.normal());
      const costs = Float64Array.from({ length: 7 }, () => 0.1 + rng.uniform());
      const out = new Float32Array(7);
      const cost = toPlaneAtCost(norm, new Float32Array(7), w, 2.5, OPEN, costs, out);
      const scaled = Array.from(w, (v, i) => Math.abs(v) / costs[i]!);
      const dual = {
        linf: scaled.reduce((a, b) => a + b, 0),
        l2: Math.hypot(...scaled),
        l1: Math.max(...scaled),
      };
      expect(cost).toBeCloseTo(2.5 / dual[norm], 4);
      expect(w.reduce((sum, v, i) => sum + v * out[i]!, 0)).toBeCloseTo(2.5, 4);
    }
  });

  it('at equal costs is the nearest step, bounds included', () => {
    const rng = randomFrom(2, norm);
    for (let trial = 0; trial < 50; trial++) {
      const x = Float32Array.from({ length: 6 }, () => rng.uniform());
      const w = Float32Array.from({ length: 6 }, () => rng.normal());
      w[3] = 0;
      const [out, plain] = [new Float32Array(6), new Float32Array(6)];
      const gap = 2 * rng.uniform();
      const cost = toPlaneAtCost(norm, x, w, gap, [0, 1], new Float64Array(6).fill(1), out);
      expect(cost).toBeCloseTo(toHyperplane(norm, x, w, gap, [0, 1], plain), 4);
      for (let i = 0; i < 6; i++) expect(out[i]).toBeCloseTo(plain[i]!, 4);
    }
  });
});

it('costs are weighed before they are summed', () => {
  const change = Float32Array.of(3, -1);
  const costs = Float64Array.of(1, 4);
  expect(costOf('l1', costs, change)).toBe(7);
  expect(costOf('l2', costs, change)).toBe(5);
  expect(costOf('linf', costs, change)).toBe(4);
});
