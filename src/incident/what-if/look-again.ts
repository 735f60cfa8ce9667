import type { PastDecision } from '../past.ts';

/** What a guard says now of a past call: its score (null where that is no number), or why it cannot look at calls of that model. */
export type SecondLook = { readonly score: number | null } | { readonly cannot: string };

/** Has a guard look at past calls that it did not look at then. */
export interface LookAgain {
  /**
   * Gives one look for each call, in the order of the log, so that a guard that remembers callers meets them as they came; undefined where the call's inputs were not kept or the model takes
   * others now. Errors: those of the log and of the model.
   */
  run(calls: readonly PastDecision[], signal: AbortSignal): Promise<readonly (SecondLook | undefined)[]>;
}

/** A guard at work on pages of decisions; what it was asked is bounded. */
export interface SecondLooks {
  /** The same decisions, those with the guard's word that had none of it and could be looked at. Errors: as {@link LookAgain.run}. */
  of(decisions: readonly PastDecision[], signal: AbortSignal): Promise<readonly PastDecision[]>;
  /** Calls that it looked at now. */
  readonly looked: () => number;
  readonly caveats: () => readonly string[];
}

/** Calls that one what-if has looked at again, at most: each is a run of the model. */
const MOST = 100_000;
/** Outcomes of calls that guards saw to the end: what another guard refused would not have come this far. */
const SEEN: ReadonlySet<string> = new Set(['answered', 'held']);

/** Opens them for one guard. */
export function openSecondLooks(guard: string, again: LookAgain): SecondLooks {
  let [asked, looked, others] = [0, 0, 0];
  const cannot = new Set<string>();
  return {
    async of(decisions, signal) {
      const silent = decisions.filter(
        ({ outcome, guards }) => SEEN.has(outcome) && !guards.some((each) => each.guard === guard),
      );
      const some = silent.slice(0, MOST - asked);
      others += silent.length - some.length;
      if (some.length === 0) return decisions;
      asked += some.length;
      const looks = await again.run(some, signal);
      const scores = new Map<PastDecision, number | null>();
      for (const [i, look] of looks.entries()) {
        if (look === undefined) continue;
        if ('cannot' in look) {
          if (cannot.size < 3) cannot.add(look.cannot);
          continue;
        }
        scores.set(some[i]!, look.score);
        looked++;
      }
      return decisions.map((each) => {
        const score = scores.get(each);
        if (score === undefined) return each;
        return { ...each, guards: [...each.guards, { guard, action: 'pass', score }] };
      });
    },
    looked: () => looked,
    caveats: () => [
      ...(looked > 0
        ? [
            `${looked} calls were put to ${guard} now, with the inputs that were kept and the versions in service; it had not looked at them then.`,
          ]
        : []),
      ...[...cannot].map((because) => `${guard} cannot look at what was kept: ${because}`),
      ...(others > 0 ? [`${others} further calls were not put to ${guard}: ${MOST} at most are.`] : []),
    ],
  };
}
