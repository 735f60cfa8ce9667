import { START } from './incident.fixture.ts';
import { isWithin, type Past, type PastDecision } from './past.ts';

/** A decision, with what is different. */
export function decisionOf(entry: number, over: Partial<PastDecision> = {}): PastDecision {
  return {
    entry,
    id: entry.toString(16).padStart(32, '0'),
    at: START + entry,
    ...{ principal: 'ann', tenant: 't', credential: 'k', address: '::1', model: 'signs', version: '1' },
    ...{ digest: 'sha256:aa', n: 1, outcome: 'answered', guards: [], top: [[0, 0.9]] },
    ...over,
  };
}

/** Decisions in memory, in pages of `size`; `read` counts the pages. */
export function memoryPast(all: readonly PastDecision[], size = 100): Past & { read: number } {
  const past = {
    read: 0,
    page: async (scope: Parameters<Past['page']>[0], cursor: number) => {
      past.read++;
      const decisions = all.slice(cursor, cursor + size).filter((each) => isWithin(each, scope));
      return {
        decisions,
        looked: decisions.length,
        cursor: cursor + size,
        of: all.length,
        isEnd: cursor + size >= all.length,
      };
    },
    find: async (ids: readonly string[]) => all.filter(({ id }) => ids.includes(id)),
  };
  return past;
}
