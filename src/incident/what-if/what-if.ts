import type { PastDecision } from '../past.ts';

/** What would be different. */
export type WhatIfChange =
  | {
      readonly kind: 'guard';
      readonly guard: string;
      readonly threshold: number;
      readonly action: 'flag' | 'degrade' | 'refuse';
    }
  | {
      readonly kind: 'budget';
      readonly per: 'principal' | 'tenant' | 'model';
      readonly queries: number;
      /** Milliseconds. */
      readonly window: number;
    }
  | {
      readonly kind: 'rate';
      /** `all`: everybody together. */
      readonly per: 'principal' | 'tenant' | 'address' | 'all';
      /** One of these two: requests, or samples (a request of n counts n). */
      readonly requests?: number | undefined;
      readonly samples?: number | undefined;
      /** Milliseconds. */
      readonly every: number;
    };

/** What a change would have made of the past. */
export interface WhatIf {
  readonly id: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly because?: string | undefined;
  readonly change: WhatIfChange;
  /** Calls that it was tried on. */
  readonly looked: number;
  /** Calls that would have been answered otherwise, by what became of them then and now. */
  readonly changed: readonly {
    readonly from: string;
    readonly to: string;
    readonly calls: number;
    readonly samples: number;
  }[];
  /** Whom it would have met, the most first, 100 at most. */
  readonly principals: readonly {
    readonly principal: string;
    readonly calls: number;
    readonly changed: number;
    readonly inCases: boolean;
  }[];
  readonly days: readonly (readonly [at: number, changed: number])[];
  /** Calls of which nothing can be said, and which are not in `looked`: the guard looked at none of them, because it was not on then, or a guard before it had refused. */
  readonly unseen?: number | undefined;
  /** Calls in `looked` that the guard had not looked at then, and was shown now, with the inputs that were kept. */
  readonly lookedAgain?: number | undefined;
  /** What this cannot know, in sentences. */
  readonly caveats?: readonly string[] | undefined;
  /** Entries of the log that were passed, of so many. */
  readonly progress?: readonly [done: number, of: number] | undefined;
}

/** A change at work on decisions in their order. Its memory is bounded. */
export interface Simulation {
  /** What becomes of the call under the change: an outcome, `degraded` or `flagged`; undefined where the change does not touch such a call. */
  judge(decision: PastDecision): string | undefined;
  readonly caveats: () => readonly string[];
  /** Calls of which it could say nothing so far; undefined where there are none such. */
  readonly unseen?: () => number;
}

/** What became of a call: `answered`, `flagged` or `degraded` by a guard, or the name of its refusal. */
export function outcomeOf({ outcome, guards }: PastDecision): string {
  return outcome === 'answered' ? answeredAs(guards.map(({ action }) => action)) : outcome;
}

/** How a call is answered on which guards had these words. */
export function answeredAs(actions: readonly string[]): string {
  if (actions.includes('degrade')) return 'degraded';
  return actions.includes('flag') ? 'flagged' : 'answered';
}

/** A time for each name or another state, at most so many: the one that was not used for the longest is forgotten. */
export function boundedStates<State>(most: number): {
  get(name: string): State | undefined;
  set(name: string, state: State): void;
  readonly forgotten: () => number;
} {
  const states = new Map<string, State>();
  let forgotten = 0;
  return {
    get: (name) => states.get(name),
    set(name, state) {
      states.delete(name);
      states.set(name, state);
      if (states.size <= most) return;
      states.delete(states.keys().next().value!);
      forgotten++;
    },
    forgotten: () => forgotten,
  };
}
