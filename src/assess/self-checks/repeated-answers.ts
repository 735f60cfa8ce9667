import type { Goal } from '../../threat/goal.ts';
import { judge, type Subject } from '../subject.ts';

/** What several runs of the deployed model on the same samples showed. */
export interface RepeatedAnswers {
  readonly samples: number;
  /** Right answers of each run. */
  readonly correct: readonly number[];
  /** The largest distance of two runs' outputs for a sample, each brought to length 1. */
  readonly difference: number;
}

/** Runs, as many as AutoAttack's own check. */
const RUNS = 5;

/** Asks the deployed model five times about the `n` samples of `x`. Cost: as many answers. Errors: those of `judge`. */
export async function repeatedAnswers(
  subject: Subject,
  goal: Goal,
  x: Float32Array,
  n: number,
  signal?: AbortSignal,
): Promise<RepeatedAnswers> {
  const k = subject.classes;
  const correct: number[] = [];
  const runs: Float64Array[] = [];
  for (let run = 0; run < RUNS; run++) {
    const { reached, outputs } = await judge(subject, goal, x, n, signal);
    subject.queries.forward += n;
    correct.push(reached.reduce((sum, wrong) => sum + (wrong ? 0 : 1), 0));
    runs.push(unitRows(outputs, k));
  }
  let difference = 0;
  for (const [i, a] of runs.entries())
    for (const b of runs.slice(i + 1))
      for (let at = 0; at < a.length; at += k) difference = Math.max(difference, gap(a, b, at, k));
  return { samples: n, correct, difference };
}

/** Rows of `k`, each divided by its length. */
function unitRows(outputs: Float32Array, k: number): Float64Array {
  const rows = Float64Array.from(outputs);
  for (let at = 0; at < rows.length; at += k) {
    let total = 0;
    for (let i = at; i < at + k; i++) total += rows[i]! * rows[i]!;
    for (let i = at; i < at + k; i++) rows[i]! /= Math.sqrt(total) + 1e-10;
  }
  return rows;
}

function gap(a: Float64Array, b: Float64Array, at: number, k: number): number {
  let total = 0;
  for (let i = at; i < at + k; i++) total += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(total);
}
