import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distance } from '../threat/norm.ts';
import { distanceToHyperplane, type ProjectionNorm, toHyperplane } from './hyperplane-projection.ts';

const NORMS: readonly ProjectionNorm[] = ['linf', 'l2', 'l1'];
const BOUNDS = [-0.5, 2] as const;

const dot = (w: ArrayLike<number>, d: ArrayLike<number>) =>
  Array.from(w).reduce((sum, v, i) => sum + v * d[i]!, 0);

/** Points within the bounds (often on them), normals (often zero or equal), and a gap. */
const cases = fc
  .integer({ min: 1, max: 9 })
  .chain((n) =>
    fc.record({
      x: fc.array(fc.oneof(fc.constantFrom(-0.5, 2, 0), fc.double({ min: -0.5, max: 2, noNaN: true })), {
        minLength: n,
        maxLength: n,
      }),
      w: fc.array(fc.oneof(fc.constantFrom(0, 1, -1), fc.double({ min: -3, max: 3, noNaN: true })), {
        minLength: n,
        maxLength: n,
      }),
      gap: fc.double({ min: -6, max: 6, noNaN: true }),
    }),
  )
  .map(({ x, w, gap }) => ({ x: Float32Array.from(x), w: Float32Array.from(w), gap }));

/** How far `⟨w, δ⟩` can get towards the gap. */
function reach(x: Float32Array, w: Float32Array, gap: number): number {
  return w.reduce(
    (sum, v, i) => sum + Math.abs(v) * (v * gap > 0 ? BOUNDS[1] - x[i]! : x[i]! - BOUNDS[0]),
    0,
  );
}

/** The least size by bisection over the ball: the most that `⟨w, δ⟩` can be in ball and box, found element by element. */
function leastSize(norm: ProjectionNorm, x: Float32Array, w: Float32Array, gap: number): number {
  const rooms = Array.from(w, (v, i) => (v * gap > 0 ? BOUNDS[1] - x[i]! : x[i]! - BOUNDS[0]));
  if (norm === 'l1') {
    // A linear programme with one budget: fill in the order of |w|.
    let [left, total] = [Math.abs(gap), 0];
    for (const i of [...w.keys()].sort((a, b) => Math.abs(w[b]!) - Math.abs(w[a]!))) {
      if (!(Math.abs(w[i]!) > 0) || left <= 0) break;
      const move = Math.min(rooms[i]!, left / Math.abs(w[i]!));
      left -= move * Math.abs(w[i]!);
      total += move;
    }
    return total;
  }
  const moves = (t: number) =>
    rooms.map((room, i) => Math.min(room, norm === 'linf' ? t : t * Math.abs(w[i]!)));
  let [low, high] = [0, 1e9];
  for (let k = 0; k < 200; k++) {
    const middle = (low + high) / 2;
    if (dot(Array.from(w, Math.abs), moves(middle)) < Math.abs(gap)) low = middle;
    else high = middle;
  }
  const used = moves(high).filter((_, i) => w[i] !== 0);
  return norm === 'linf' ? Math.max(...used) : Math.hypot(...used);
}

describe.each(NORMS)('toHyperplane in %s', (norm) => {
  it('reaches the plane within the bounds, with the least change that does', () => {
    fc.assert(
      fc.property(cases, ({ x, w, gap }) => {
        const most = reach(x, w, gap);
        fc.pre(most > Math.abs(gap) * 1.001 && Math.abs(gap) > 1e-3);
        const out = new Float32Array(x.length);
        const size = toHyperplane(norm, x, w, gap, BOUNDS, out);
        expect(dot(w, out)).toBeCloseTo(gap, 4);
        const moved = x.map((v, i) => v + out[i]!);
        for (const v of moved) {
          expect(v).toBeGreaterThanOrEqual(BOUNDS[0] - 1e-6);
          expect(v).toBeLessThanOrEqual(BOUNDS[1] + 1e-6);
        }
        expect(size).toBeCloseTo(distance(norm, out, new Float32Array(x.length), 0, x.length), 5);
        expect(Math.abs(size - leastSize(norm, x, w, gap))).toBeLessThan(1e-4 * (1 + size));
      }),
    );
  });

  it('is no longer than any of many random changes that reach the plane', () => {
    const x = Float32Array.of(0, 1.9, -0.4, 0.3);
    const w = Float32Array.of(1, 2, -0.5, -1.5);
    const out = new Float32Array(4);
    const size = toHyperplane(norm, x, w, 1.2, BOUNDS, out);
    const zero = new Float32Array(4);
    for (let k = 0; k < 20_000; k++) {
      // Three elements at random within the bounds; the fourth is what the plane wants of it.
      const d = Float32Array.from(x, (v, i) => {
        const t = Math.abs(Math.sin(1 + k * (i + 1.37) * 12.9898) * 43758.5453) % 1;
        return BOUNDS[0] + t * (BOUNDS[1] - BOUNDS[0]) - v;
      });
      d[3] = (1.2 - dot(w.subarray(0, 3), d)) / w[3]!;
      if (x[3]! + d[3]! < BOUNDS[0] || x[3]! + d[3]! > BOUNDS[1]) continue;
      expect(distance(norm, d, zero, 0, 4)).toBeGreaterThan(size - 1e-5);
    }
  });

  it('goes to the corner that is nearest to a plane out of reach', () => {
    const out = new Float32Array(3);
    toHyperplane(norm, Float32Array.of(0, 0, 0), Float32Array.of(1, -1, 0), 100, BOUNDS, out);
    expect([...out]).toEqual([2, -0.5, 0]);
  });

  it('stays where there is no gap or no direction', () => {
    const out = Float32Array.of(7, 7);
    expect(toHyperplane(norm, Float32Array.of(0, 0), Float32Array.of(1, 1), 0, BOUNDS, out)).toBe(0);
    expect([...out]).toEqual([0, 0]);
    expect(toHyperplane(norm, Float32Array.of(0, 0), Float32Array.of(0, Number.NaN), 1, BOUNDS, out)).toBe(0);
    expect([...out]).toEqual([0, 0]);
  });

  it('works without bounds, and there as far as the distance says', () => {
    const w = Float32Array.of(0.5, -2, 0);
    const out = new Float32Array(3);
    const free = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
    expect(toHyperplane(norm, new Float32Array(3), w, -3, free, out)).toBeCloseTo(
      distanceToHyperplane(norm, w, -3),
      6,
    );
    expect(dot(w, out)).toBeCloseTo(-3, 5);
  });
});

describe('distanceToHyperplane', () => {
  it('is the gap over the dual norm', () => {
    const w = Float32Array.of(3, -4);
    expect(NORMS.map((norm) => distanceToHyperplane(norm, w, -14))).toEqual([2, 2.8, 3.5]);
    expect(distanceToHyperplane('l2', new Float32Array(2), 1)).toBe(Number.POSITIVE_INFINITY);
  });
});
