import type { AffectedDecision } from './impact.ts';
import type { KeptStep } from './run-impact.ts';

/** Rows of one search in bounded memory. */
export interface RowsInMemory {
  readonly keep: (step: KeptStep) => Promise<number>;
  /** Those that differ first, each kind in the order of the log. */
  rows(): readonly AffectedDecision[];
}

/** Keeps at most so many rows: those that differ push out those that do not. */
export function rowsInMemory(most: number): RowsInMemory {
  let [different, same]: [string[], string[]] = [[], []];
  return {
    async keep({ found }) {
      for (const { different: differs, body } of found) (differs ? different : same).push(body);
      different = different.slice(0, most);
      same = same.slice(0, most - different.length);
      return different.length + same.length;
    },
    rows: () => [...different, ...same].map((body) => JSON.parse(body) as AffectedDecision),
  };
}
