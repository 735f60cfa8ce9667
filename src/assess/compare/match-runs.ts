import { isDeepStrictEqual } from 'node:util';
import type { EvasionResult } from '../result.ts';
import type { Run, Side } from './side.ts';

/** The same attack at the same budget, once for each side. */
export type MatchedRuns = readonly Run[];

/** Which runs can be held against each other, and which have no partner. */
export interface Matching {
  readonly matched: readonly MatchedRuns[];
  /** By side. */
  readonly left: readonly (readonly Run[])[];
}

/** What makes two runs the same attack at the same budget. */
function keyOf({ attack, norm, eps }: EvasionResult): string {
  return JSON.stringify([attack, norm, eps]);
}

/**
 * Finds for each run of the first side its partner on every other side: the same attack, norm and eps, with the same options
 * where there is such a run, otherwise the first that is left. Each run is used once.
 */
export function matchRuns(sides: readonly Pick<Side, 'runs'>[]): Matching {
  const [first, ...others] = sides;
  const partners = others.map((other) => partnersOf(first!.runs, other.runs));
  const matched = first!.runs.flatMap((run) => {
    const found = partners.map((each) => each.get(run));
    return found.every((each) => each !== undefined) ? [[run, ...found]] : [];
  });
  const used = new Set(matched.flat());
  return { matched, left: sides.map(({ runs }) => runs.filter((run) => !used.has(run))) };
}

function partnersOf(runs: readonly Run[], others: readonly Run[]): ReadonlyMap<Run, Run> {
  const open = Map.groupBy(others, ({ result }) => keyOf(result));
  const partners = new Map<Run, Run>();
  const take = (run: Run, fits: (other: Run) => boolean) => {
    const candidates = open.get(keyOf(run.result)) ?? [];
    const at = partners.has(run) ? -1 : candidates.findIndex(fits);
    const [found] = at < 0 ? [] : candidates.splice(at, 1);
    if (found) partners.set(run, found);
  };
  for (const run of runs) take(run, (other) => isDeepStrictEqual(run.result.options, other.result.options));
  for (const run of runs) take(run, () => true);
  return partners;
}
