import { GlacisError } from '../../core/error.ts';
import type { Past } from '../past.ts';
import type { Replay } from './impact.ts';
import type { SearchImpact } from './open-impacts.ts';
import { runImpact } from './run-impact.ts';

/** What searches in this thread stand on. */
export interface SearchHere {
  readonly past: Pick<Past, 'page'>;
  /** Opens a good version of a model to replay against. Errors: `option/invalid` where there is none. */
  readonly openReplay?: ((model: string | undefined, against: string) => Promise<Replay>) | undefined;
  readonly now: () => number;
}

/** Searches in this thread, in turns. */
export function searchHere({ past, openReplay, now }: SearchHere): SearchImpact {
  return async (search, watch) => {
    const { against, scope } = search.state.summary;
    if (against !== undefined && openReplay === undefined)
      throw new GlacisError(
        'option/invalid',
        'impact: expected no version to replay against; there is none here',
      );
    const replay = against === undefined ? undefined : await openReplay!(scope.model, against);
    try {
      return await runImpact(search, { past, replay, now, ...watch });
    } finally {
      await replay?.close();
    }
  };
}
