import fc from 'fast-check';
import { expect } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import type { Constraint } from '../constraint.ts';
import { type Ball, NORMS, type Norm } from '../norm.ts';
import { violationOf } from '../violation.ts';
import { inBall } from './ball.ts';

/** A constraint with clean rows for it. */
export interface Case {
  readonly constraint: Constraint;
  /** A clean row that satisfies the constraint, drawn from a seed. */
  clean(seed: number): Float32Array;
  readonly bounds?: readonly [number, number];
  /** The radii to draw from, by norm. */
  readonly eps: Readonly<Record<Norm, number>>;
}

const HOSTILE = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, -3e38, 0, -0, 1e-40];

/**
 * What every constraint promises, on random clean rows, balls and points: the result satisfies constraint, ball and bounds, a row
 * that does stays bit for bit, nothing else is written, and the runner agrees. Gives the share of rows that moved from the clean one, where ball and
 * change are not small and all values finite.
 */
export function holdsContract({ constraint, clean, bounds, eps }: Case, numRuns = 150): number {
  let moved = 0;
  let all = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...NORMS),
      // A radius without end is what minimum-norm attacks have.
      fc.constantFrom(0, 0.001, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 1, Infinity),
      fc.constantFrom(0.1, 1, 3),
      fc.nat(4),
      fc.nat(),
      (norm, share, far, hostile, seed) => {
        const c = clean(seed);
        const n = c.length;
        const ball: Ball = {
          norm,
          eps: eps[norm] * share,
          bounds: bounds ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
        };
        expect(constraint.violation(c, 0, c, 0, n)).toBeUndefined();
        const rng = randomFrom(seed, 'row');
        const reach = (norm === 'linf' && share <= 1 ? ball.eps : eps.linf) * far;
        const row = c.map((v) => v + reach * (2 * rng.uniform() - 1));
        for (let i = 0; i < hostile; i++) row[rng.integer(n)] = HOSTILE[rng.integer(HOSTILE.length)]!;
        // The row and its clean row lie at different places of larger arrays.
        const x = new Float32Array(n + 5).fill(77);
        x.set(row, 2);
        const x0 = new Float32Array(n + 4).fill(55);
        x0.set(c, 3);
        const before = x0.slice();
        constraint.project(x, 2, x0, 3, n, ball);
        expect(x0).toEqual(before);
        expect([...x.subarray(0, 2), ...x.subarray(2 + n)]).toEqual([77, 77, 77, 77, 77]);
        const result = x.slice(2, 2 + n);
        expect(constraint.violation(x, 2, x0, 3, n)).toBeUndefined();
        expect(inBall(ball, result, c)).toBe(true);
        expect(violationOf({ ...ball, constraint }, result, c, 0, n)).toBeUndefined();
        const again = result.slice();
        constraint.project(again, 0, c, 0, n, ball);
        expect(bitsOf(again)).toEqual(bitsOf(result));
        const same = c.slice();
        constraint.project(same, 0, c, 0, n, ball);
        expect(bitsOf(same)).toEqual(bitsOf(c));
        if (share < 0.3 || far < 1 || hostile > 0) return;
        all++;
        if (result.some((v, i) => v !== c[i])) moved++;
      },
    ),
    { numRuns, seed: 20240 },
  );
  return moved / all;
}

function bitsOf(x: Float32Array): Uint32Array {
  return new Uint32Array(x.buffer.slice(x.byteOffset, x.byteOffset + x.byteLength));
}

/** The result of one projection. */
export function projected(
  constraint: Constraint,
  row: readonly number[],
  clean: readonly number[],
  ball: Ball,
) {
  const x = Float32Array.from(row);
  constraint.project(x, 0, Float32Array.from(clean), 0, x.length, ball);
  return [...x];
}

/** Why `row` breaks a constraint. */
export function violated(constraint: Constraint, row: readonly number[], clean: readonly number[]) {
  return constraint.violation(Float32Array.from(row), 0, Float32Array.from(clean), 0, row.length);
}
