import { describe, expect, it } from 'vitest';
import { randomFrom } from '../core/random.ts';
import { distance, type Norm } from '../threat/norm.ts';
import { type BoundaryPlace, boundaryStepFor } from './boundary-step.ts';

const BOUNDS = [0, 1] as const;
/** Fineness of the grid of {@link allSteps}. */
const GRID = 150;
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
const length = (d: Float32Array) => Math.sqrt(dot(d, d));

/** A place on a plane through space, with clean sample, point, normal, gap and radius drawn at random. */
function placeOf(seed: number, size: number, radius: number): BoundaryPlace {
  const rng = randomFrom(seed, 'place');
  const draw = (from: () => number) => Float32Array.from({ length: size }, from);
  const x0 = draw(() => (rng.uniform() < 0.2 ? Math.round(rng.uniform()) : rng.uniform()));
  const x = draw(() => (rng.uniform() < 0.2 ? Math.round(rng.uniform()) : rng.uniform()));
  const normal = draw(() => rng.normal());
  return { x, x0, normal, gap: 0.3 * rng.normal() * radius * length(normal), radius };
}

/** All feasible steps of three elements on a grid: two at will, the third as the plane wants. */
function* allSteps({ x, normal, gap, radius }: BoundaryPlace) {
  const last = [0, 1, 2].toSorted((i, j) => Math.abs(normal[j]!) - Math.abs(normal[i]!))[0]!;
  const [i, j] = [0, 1, 2].filter((e) => e !== last) as [number, number];
  const d = new Float32Array(3);
  for (let u = 0; u <= GRID; u++) {
    for (let v = 0; v <= GRID; v++) {
      d[i] = u / GRID - x[i]!;
      d[j] = v / GRID - x[j]!;
      d[last] = (gap - normal[i]! * d[i]! - normal[j]! * d[j]!) / normal[last]!;
      const end = x[last]! + d[last]!;
      if (end >= 0 && end <= 1 && length(d) <= radius) yield d;
    }
  }
}

function distanceAfter(norm: Norm, { x, x0 }: BoundaryPlace, d: Float32Array): number {
  const y = x.map((v, i) => v + d[i]!);
  return distance(norm, y, x0, 0, y.length);
}

describe.each(['linf', 'l2', 'l1', 'l0'] as const)('boundaryStepFor in %s', (norm) => {
  const seeds = Array.from({ length: 30 }, (_, i) => i);

  it.each([0.05, 0.3, 3])('stays within bounds and radius %d and meets the plane where it can', (radius) => {
    for (const seed of seeds) {
      const place = placeOf(seed, 8, radius);
      const d = new Float32Array(8);
      boundaryStepFor(norm, 8, BOUNDS)(place, d);
      expect(length(d)).toBeLessThanOrEqual(radius * 1.0001);
      for (const [i, v] of d.entries()) {
        expect(place.x[i]! + v).toBeGreaterThanOrEqual(-1e-6);
        expect(place.x[i]! + v).toBeLessThanOrEqual(1 + 1e-6);
      }
      // Towards the plane: an element at a bound can keep a step from it, a jump in l0 carry beyond.
      const along = dot(place.normal, d);
      if (norm !== 'l0' && Math.abs(along - place.gap) > 1e-4 * length(place.normal) * radius) {
        expect(Math.abs(along)).toBeLessThan(Math.abs(place.gap));
        const most = place.normal.map((w, i) => (w * place.gap > 0 ? 1 - place.x[i]! : -place.x[i]!));
        const isCorner = Math.abs(length(most) - length(d)) < 1e-4;
        expect(isCorner || length(d) > 0.999 * radius).toBe(true);
      }
    }
  });

  if (norm === 'l0') {
    it('goes home with all the elements that a wide radius lets go', () => {
      const size = 40;
      const [x0, x] = [new Float32Array(size).fill(0.5), new Float32Array(size).fill(0.6)];
      const normal = Float32Array.from({ length: size }, (_, i) => (i < 4 ? 1 : 0.01));
      const d = new Float32Array(size);
      boundaryStepFor('l0', size, BOUNDS)({ x, x0, normal, gap: 0, radius: 2 }, d);
      expect(distanceAfter('l0', { x, x0, normal, gap: 0, radius: 2 }, d)).toBeLessThanOrEqual(5);
    });
    return;
  }

  it.each([0.1, 0.5, 3])(
    'is as near to the clean sample as any step of radius %d that keeps the plane',
    (radius) => {
      for (const seed of seeds) {
        const place = placeOf(seed, 3, radius);
        const d = new Float32Array(3);
        boundaryStepFor(norm, 3, BOUNDS)(place, d);
        const reached = distanceAfter(norm, place, d);
        for (const other of allSteps(place)) {
          const far = distanceAfter(norm, place, other);
          if (far < reached * 0.998 - 1e-4)
            expect(far, `seed ${seed}`).toBeGreaterThanOrEqual(reached * 0.998 - 1e-4);
        }
      }
    },
  );
});
