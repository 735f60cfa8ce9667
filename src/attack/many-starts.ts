import type { Talk } from './question.ts';
import { refine } from './refine.ts';
import type { Victim } from './sample-attack.ts';
import { scatter } from './scatter.ts';

/**
 * Searches for the nearest example from the sample itself, then from random points within half of the best distance so far; ends where the first search found nothing, because there is no
 * distance to scatter within. `descend` may overwrite its start. Each search ends with {@link refine} where `isRefined`.
 */
export function* fromManyStarts(
  victim: Victim,
  { restarts, isRefined }: { readonly restarts: number; readonly isRefined: boolean },
  descend: (start: Float32Array) => Talk,
): Talk {
  const start = victim.x0.slice();
  for (let run = 0; run < restarts; run++) {
    const { reached, distance } = victim.best();
    if (run > 0 && !reached) return;
    if (run > 0) scatter(victim, start, distance / 2, [run]);
    yield* descend(start);
    if (isRefined) yield* refine(victim);
  }
}
