import { GlacisError } from '../../core/error.ts';
import type { Store } from '../../store/index.ts';
import { sha256 } from '../canonical.ts';
import type { PastScope } from '../past.ts';
import { type RunWhatIfSetting, simulationOf } from './run-what-if.ts';
import type { WhatIf, WhatIfChange } from './what-if.ts';

/** Replays the past under a change, here or in a thread. Errors: those of the log, `option/invalid`, `run/cancelled`. */
export type ReplayWhatIf = (
  id: string,
  scope: PastScope,
  change: WhatIfChange,
  watch: Pick<RunWhatIfSetting, 'signal' | 'stepped'>,
) => Promise<WhatIf>;

/** Replays of the past under a change. */
export interface WhatIfs {
  /** Begins one. Errors: `option/invalid` (numbers that make no sense, too many wait). */
  start(scope: PastScope, change: WhatIfChange): WhatIf;
  find(id: string): WhatIf | undefined;
  cancel(id: string): void;
  idle(): Promise<void>;
  close(): Promise<void>;
}

const MOST_KEPT = 50;
const MOST_WAITING = 8;

/** Opens replays: one runs at a time, the last 50 are kept in memory, and a restart forgets them. */
export function openWhatIfs({
  replay,
  store,
  freshId,
  failed,
}: {
  readonly replay: ReplayWhatIf;
  readonly store: Pick<Store, 'reader'>;
  readonly freshId: () => string;
  readonly failed: (where: string, thrown: unknown) => void;
}): WhatIfs {
  const kept = new Map<string, WhatIf>();
  const stopping = new Map<string, AbortController>();
  let turn: Promise<unknown> = Promise.resolve();
  const run = async (id: string, scope: PastScope, change: WhatIfChange, signal: AbortSignal) => {
    try {
      const stepped = (each: WhatIf) => kept.set(id, each);
      const done = await replay(id, scope, change, { signal, stepped });
      const named = await principalsInCases(
        store,
        done.principals.map(({ principal }) => principal),
      );
      const principals = done.principals.map((each) => ({ ...each, inCases: named.has(each.principal) }));
      kept.set(id, { ...done, principals });
    } catch (thrown) {
      if (!signal.aborted) failed('what-if', thrown);
      const because = thrown instanceof Error ? thrown.message.slice(0, 500) : 'failed';
      kept.set(id, { ...kept.get(id)!, state: 'failed', because });
    } finally {
      stopping.delete(id);
    }
  };
  return {
    start(scope, change) {
      const { caveats } = simulationOf(change);
      if (stopping.size >= MOST_WAITING)
        throw new GlacisError('option/invalid', `what-if: expected at most ${MOST_WAITING} at once`);
      const id = freshId();
      const begun: WhatIf = {
        ...{ id, state: 'running', change, looked: 0, changed: [], principals: [], days: [] },
        ...{ caveats: caveats(), progress: [0, 0] as const },
      } as WhatIf;
      kept.set(id, begun);
      for (const oldest of kept.keys()) {
        if (kept.size <= MOST_KEPT) break;
        if (!stopping.has(oldest)) kept.delete(oldest);
      }
      const stop = new AbortController();
      stopping.set(id, stop);
      turn = turn.then(() => run(id, scope, change, stop.signal));
      return begun;
    },
    find: (id) => kept.get(id),
    cancel: (id) => stopping.get(id)?.abort(),
    idle: async () => {
      await turn;
    },
    async close() {
      for (const stop of stopping.values()) stop.abort();
      await turn;
    },
  };
}

/** Which of these principals are in a case. */
export async function principalsInCases(
  { reader }: Pick<Store, 'reader'>,
  principals: readonly string[],
): Promise<ReadonlySet<string>> {
  if (principals.length === 0) return new Set();
  const byHash = new Map(principals.map((each) => [sha256(each), each]));
  const rows = await reader
    .selectFrom('case_principals')
    .select('principal')
    .distinct()
    .where('principal', 'in', [...byHash.keys()])
    .execute();
  return new Set(rows.map(({ principal }) => byHash.get(principal)!));
}
