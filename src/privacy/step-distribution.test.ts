import { describe, expect, it } from 'vitest';
import { gaussianDelta } from './gaussian.ts';
import { normalTail } from './normal-tail.ts';
import { stepDistribution } from './step-distribution.ts';
import type { Direction } from './subsampled-gaussian.ts';

/** The exact delta of one step at `epsilon`, from the two distributions' tails. */
function exactDelta(q: number, sigma: number, direction: Direction, epsilon: number): number {
  if (q === 1) return gaussianDelta(sigma, epsilon);
  const [limit, sign] = direction === 'remove' ? [epsilon, 1] : [-epsilon, -1];
  const ratio = Math.expm1(limit) / q;
  if (ratio <= -1) return direction === 'remove' ? -Math.expm1(epsilon) : 0;
  const place = 0.5 + sigma * sigma * Math.log1p(ratio);
  const without = normalTail((sign * place) / sigma);
  const mixture = (1 - q) * without + q * normalTail((sign * (place - 1)) / sigma);
  return direction === 'remove'
    ? mixture - Math.exp(epsilon) * without
    : without - Math.exp(epsilon) * mixture;
}

describe('the distribution of a step', () => {
  for (const direction of ['remove', 'add'] as const)
    for (const [rate, noise, h] of [
      [0.01, 1, 1e-2],
      [0.3, 0.6, 1e-2],
      [1, 2, 3e-3],
      [1e-4, 20, 1e-7],
      [0.9, 0.3, 0.1],
    ] as const)
      it(`has exactly delta's value on the grid, and no less between: ${direction}, rate ${rate}, noise ${noise}`, () => {
        const step = stepDistribution({ rate, noise, steps: 1 }, direction, { h, reach: 9 });
        const delta = (epsilon: number) =>
          step.mass.reduce(
            (sum, mass, i) => sum + mass * Math.max(0, -Math.expm1(epsilon - (step.first + i) * h)),
            step.infinite,
          );
        for (let i = 1; i < step.mass.length - 1; i += Math.ceil(step.mass.length / 40)) {
          const on = (step.first + i) * h;
          expect(Math.abs(delta(on) - exactDelta(rate, noise, direction, on))).toBeLessThan(1e-14);
          const between = on + 0.4 * h;
          expect(delta(between)).toBeGreaterThanOrEqual(exactDelta(rate, noise, direction, between) - 1e-14);
        }
      });
});
