import { GlacisError } from '../../core/error.ts';
import type { Constraint } from '../constraint.ts';
import { constraintOf } from './row-rule.ts';

/** Rounds of projections in turn before the row is drawn towards the clean one. */
const ROUNDS = 30;
/** Shares of the change that are tried, one after the other, where the projections do not agree. */
const SHARES = [1, 0.5, 0.2, 0.05];

/**
 * Several constraints at once: projections in turn, in the order given, until a point satisfies all; else the same from a point
 * nearer to the clean row; else the clean row. Put the constraint that leaves least choice last. One constraint is itself.
 * `length` is the number of values of a row. Errors: `option/invalid` (none given).
 */
export function joined(constraints: readonly Constraint[], length: number): Constraint {
  const [first, ...others] = constraints;
  if (!first)
    throw new GlacisError('option/invalid', 'constraints: expected at least one constraint, got none');
  if (others.length === 0) return first;
  const all = constraints.flatMap(({ free }) => (free ? [free] : []));
  return constraintOf({
    id: constraints.map(({ id }) => id).join('+'),
    title: constraints.map(({ title }) => title).join('; '),
    length,
    free:
      all.length > 0
        ? Uint8Array.from({ length }, (_, i) => (all.every((one) => one[i]) ? 1 : 0))
        : undefined,
    move(row, clean, ball, accepts) {
      const wish = row.slice();
      for (const share of SHARES) {
        for (let i = 0; i < length; i++) row[i] = clean[i]! + share * (wish[i]! - clean[i]!);
        for (let round = 0; round < ROUNDS; round++) {
          for (const constraint of constraints) constraint.project(row, 0, clean, 0, length, ball);
          if (accepts()) return;
        }
      }
    },
    violation(row, clean) {
      for (const constraint of constraints) {
        const found = constraint.violation(row, 0, clean, 0, length);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    impossible(row) {
      for (const constraint of constraints) {
        const found = constraint.impossible?.(row, 0, length);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  });
}
