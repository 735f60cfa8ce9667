import type { ImpactSummary } from './impact.ts';

/** Principals that are counted one by one; decisions of further ones are counted together. */
const MOST = 100_000;
const SHOWN = 100;

/** Counts by principal, in bounded memory. */
export interface Tally {
  add(principal: string | undefined, different: number): void;
  shown(): Pick<ImpactSummary, 'principals' | 'others'>;
}

/** A tally that goes on from `all`, every principal with its counts. */
export function openTally(
  all: readonly (readonly [string, number, number])[] = [],
  others = 0,
): Tally & {
  /** Everything, to go on from. */
  all(): readonly (readonly [string, number, number])[];
} {
  const counts = new Map(all.map(([name, decisions, different]) => [name, { decisions, different }]));
  let rest = others;
  return {
    add(principal = '', different) {
      const there = counts.get(principal);
      if (there) {
        there.decisions++;
        there.different += different;
      } else if (counts.size < MOST) counts.set(principal, { decisions: 1, different });
      else rest++;
    },
    shown: () => ({
      principals: [...counts]
        .map(([principal, each]) => ({ principal, ...each }))
        .sort(
          (a, b) =>
            b.different - a.different || b.decisions - a.decisions || (a.principal < b.principal ? -1 : 1),
        )
        .slice(0, SHOWN),
      others: rest,
    }),
    all: () => [...counts].map(([name, { decisions, different }]) => [name, decisions, different] as const),
  };
}
