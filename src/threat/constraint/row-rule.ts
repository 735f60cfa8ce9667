import { GlacisError } from '../../core/error.ts';
import type { Constraint } from '../constraint.ts';
import type { Ball } from '../norm.ts';
import { inBall } from './ball.ts';

/** A constraint as it is written: for one row, without the promises that {@link constraintOf} keeps. */
export interface RowRule {
  readonly id: string;
  readonly title: string;
  /** Values of a row. */
  readonly length: number;
  /** 1 for each value that may change at all; every value may without. */
  readonly free?: Uint8Array | undefined;
  /**
   * Moves `row` (finite values) towards what satisfies the rule, ball and bounds. It may fail: then the clean row is the answer.
   * `accepts` tells whether the row as it is now satisfies everything.
   */
  move(row: Float32Array, clean: Float32Array, ball: Ball, accepts: () => boolean): void;
  /** Why the row (finite values) breaks the rule, or `undefined`. */
  violation(row: Float32Array, clean: Float32Array): string | undefined;
  /** Why the row (finite values) breaks what the rule says of a row by itself; as its violation beside itself unless given. */
  impossible?(row: Float32Array): string | undefined;
}

/**
 * The constraint of a rule. What `Constraint` promises is held here for every rule: a row that satisfies everything stays,
 * values that are not finite become clean ones, the result is checked, and where the rule found nothing it is the clean row.
 * Errors of both functions: `data/mismatch` for rows of another length.
 */
export function constraintOf(rule: RowRule): Constraint {
  const { id, title, free } = rule;
  const check = (length: number) => {
    if (length !== rule.length)
      throw new GlacisError(
        'data/mismatch',
        `constraint ${id}: expected rows of ${rule.length} values, got ${length}`,
      );
  };
  return {
    id,
    title,
    free,
    project(x, offset, clean, cleanOffset, length, ball) {
      check(length);
      const row = x.subarray(offset, offset + length);
      const c = clean.subarray(cleanOffset, cleanOffset + length);
      const accepts = () => row.every(Number.isFinite) && inBall(ball, row, c) && !rule.violation(row, c);
      if (accepts()) return;
      for (let i = 0; i < length; i++) if (!Number.isFinite(row[i]!)) row[i] = c[i]!;
      rule.move(row, c, ball, accepts);
      if (!accepts()) row.set(c);
    },
    violation(x, offset, clean, cleanOffset, length) {
      check(length);
      const row = x.subarray(offset, offset + length);
      if (!row.every(Number.isFinite)) return 'a value is not a finite number';
      return rule.violation(row, clean.subarray(cleanOffset, cleanOffset + length));
    },
    impossible(x, offset, length) {
      check(length);
      const row = x.subarray(offset, offset + length);
      if (!row.every(Number.isFinite)) return 'a value is not a finite number';
      return rule.impossible ? rule.impossible(row) : rule.violation(row, row);
    },
  };
}
