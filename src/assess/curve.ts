import type { Norm } from '../threat/norm.ts';
import type { CellRecord } from './record.ts';
import { decidedPrefix } from './record.ts';
import type { SecurityCurve } from './result.ts';
import type { Cell, SummaryFacts } from './summarise.ts';

/** Points of a curve at most: enough for a picture, few enough for a file. */
const POINTS = 100;

/**
 * Robust accuracy against eps, from every example that was found in one norm: a sample is robust at eps as long as no attack found an
 * example nearer than that. An upper bound everywhere, tight where a minimum-norm attack ran. `undefined` where no
 * attack in this norm has decided a sample.
 */
export function curveOf(
  { clean }: SummaryFacts,
  norm: Norm,
  cells: readonly { readonly cell: Cell; readonly record: CellRecord }[],
): SecurityCurve | undefined {
  const begun = cells.filter(({ cell, record }) => cell.measure === norm && decidedPrefix(record) > 0);
  if (begun.length === 0) return undefined;
  const n = Math.min(...begun.map(({ record }) => decidedPrefix(record)));
  const distances: number[] = [];
  let right = 0;
  for (let i = 0; i < n; i++) {
    if (!clean.correct[i]) continue;
    right++;
    let nearest = Number.POSITIVE_INFINITY;
    for (const { record } of begun) if (record.success[i]) nearest = Math.min(nearest, record.distance[i]!);
    if (nearest < Number.POSITIVE_INFINITY) distances.push(nearest);
  }
  distances.sort((a, b) => a - b);
  /** Accuracy once the `k` nearest examples are within reach. */
  const after = (k: number) => (right - k) / n;
  const ks = Array.from(
    { length: Math.min(POINTS, distances.length) },
    (_, i, all = Math.min(POINTS, distances.length)) => Math.ceil(((i + 1) / all) * distances.length),
  );
  const half = Math.ceil(right / 2);
  return {
    norm,
    n,
    points: [[0, after(0)], ...ks.map((k) => [distances[k - 1]!, after(k)] as const)],
    halving: right > 0 && distances.length >= half ? distances[half - 1]! : null,
  };
}
