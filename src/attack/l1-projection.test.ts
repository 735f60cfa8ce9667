import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { l1ProjectionFor } from './l1-projection.ts';

/** The projection by bisection on θ alone, in float64. */
function expected(x: readonly number[], x0: readonly number[], eps: number, low: number, high: number) {
  const at = (theta: number) =>
    x.map((v, i) => {
      const y = v - x0[i]!;
      return Math.sign(y) * Math.min(Math.max(Math.abs(y) - theta, 0), y < 0 ? x0[i]! - low : high - x0[i]!);
    });
  const length = (d: readonly number[]) => d.reduce((sum, v) => sum + Math.abs(v), 0);
  let [a, b] = [0, 100];
  if (length(at(0)) <= eps) return at(0);
  for (let i = 0; i < 200; i++) {
    const middle = (a + b) / 2;
    if (length(at(middle)) > eps) a = middle;
    else b = middle;
  }
  return at(b);
}

const value = fc.integer({ min: 0, max: 64 }).map((v) => v / 64);
const far = fc.integer({ min: -256, max: 256 }).map((v) => v / 64);

describe('the projection onto an L1 ball within bounds', () => {
  it('is the nearest point of both', () => {
    const rows = fc.array(fc.tuple(value, far), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(rows, fc.double({ min: 0, max: 12, noNaN: true }), (row, eps) => {
        const x0 = row.map(([v]) => v);
        const x = row.map(([, v]) => v);
        const moved = Float32Array.from(x);
        l1ProjectionFor(row.length, [0, 1])(moved, Float32Array.from(x0), eps);
        const deltas = expected(x, x0, eps, 0, 1);
        for (const [i, d] of deltas.entries()) expect(moved[i]).toBeCloseTo(x0[i]! + d, 5);
      }),
    );
  });

  it('leaves a point inside as it is, bit for bit', () => {
    const x = Float32Array.of(0.1, 0.7, 1, 0);
    const before = x.slice();
    l1ProjectionFor(4, [0, 1])(x, Float32Array.of(0.3, 0.6, 0.9, 0.1), 0.5);
    expect(x).toEqual(before);
  });

  it('gives the sample itself for a ball of radius 0, and works without bounds', () => {
    const x = Float32Array.of(5, -3);
    l1ProjectionFor(2, [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY])(x, Float32Array.of(1, 1), 4);
    expect([...x]).toEqual([3, -1].map((v) => expect.closeTo(v, 6)));
    l1ProjectionFor(2, [0, 10])(x, Float32Array.of(1, 1), 0);
    expect([...x]).toEqual([1, 1]);
  });

  it('stays within the ball for many elements, where the surface is reached to 1e-6', () => {
    const size = 3072;
    const x0 = Float32Array.from({ length: size }, (_, i) => ((i * 7919) % 1009) / 1008);
    const x = Float32Array.from({ length: size }, (_, i) => 3 * Math.sin(i * 1.7));
    l1ProjectionFor(size, [0, 1])(x, x0, 12);
    let length = 0;
    for (let i = 0; i < size; i++) {
      expect(x[i]).toBeGreaterThanOrEqual(0);
      expect(x[i]).toBeLessThanOrEqual(1);
      length += Math.abs(x[i]! - x0[i]!);
    }
    expect(length).toBeCloseTo(12, 4);
  });
});
