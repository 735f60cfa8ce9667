import { GlacisError } from '../../core/error.ts';
import type { Constraint } from '../constraint.ts';

/**
 * Checks that clean samples (row-major, `length` values each) satisfy a constraint themselves, which is what a constraint's
 * projection rests on: whoever loads the data calls this once for each batch. `numberOf` gives a row's number in the data.
 * Errors: `data/mismatch` with the first sample that does not, and why.
 */
export function checkClean(
  constraint: Constraint,
  x: Float32Array,
  length: number,
  numberOf: (row: number) => number,
): void {
  for (let row = 0, at = 0; at < x.length; row++, at += length) {
    const found = constraint.violation(x, at, x, at, length);
    if (found !== undefined)
      throw new GlacisError(
        'data/mismatch',
        `constraint ${constraint.id}: expected clean samples that satisfy it, got sample ${numberOf(row)}: ${found}; correct the constraint, or leave the sample out`,
      );
  }
}
