import { importance } from '../../threat/constraint/importance.ts';
import type { AttackRun } from '../attack.ts';

/** What is known of a table's columns. */
export interface ColumnCosts {
  /** Standard deviation of each column; 0 where it is constant. */
  readonly spread: Float64Array;
  /** What a change by one standard deviation costs; all columns together cost 1. */
  readonly weights: Float64Array;
}

/**
 * Spread of the columns of a run's clean rows, and how much each says about whether a row is of the class `label`: |Pearson correlation|, as
 * shares of their sum. Equal weights where `isEqual`, or where there is nothing to correlate with.
 */
export function columnCosts(
  { x0, goal }: Pick<AttackRun<unknown>, 'x0' | 'goal'>,
  width: number,
  label: number | undefined,
  isEqual: boolean,
): ColumnCosts {
  const n = x0.length / width;
  const spread = new Float64Array(width);
  for (let j = 0; j < width; j++) {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += x0[i * width + j]! / n;
    let squares = 0;
    for (let i = 0; i < n; i++) squares += (x0[i * width + j]! - mean) ** 2;
    // What the rounding of the mean leaves of a constant column is none.
    const deviation = Math.sqrt(squares / n);
    spread[j] = deviation > 1e-12 * Math.abs(mean) ? deviation : 0;
  }
  const isOfClass = Array.from({ length: n }, (_, i) => (goal.aim(i) === label ? 1 : 0));
  const weights =
    isEqual || label === undefined || n < 2 ? new Float64Array(width) : importance(x0, width, isOfClass);
  const sum = weights.reduce((total, v) => total + v, 0);
  return { spread, weights: sum > 0 ? weights.map((v) => v / sum) : weights.fill(1 / width) };
}
