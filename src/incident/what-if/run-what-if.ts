import { throwIfCancelled } from '../../core/cancel.ts';
import { GlacisError } from '../../core/error.ts';
import { isWithin, type Past, type PastScope } from '../past.ts';
import { budgetChange } from './budget-change.ts';
import { guardChange } from './guard-change.ts';
import { type LookAgain, openSecondLooks } from './look-again.ts';
import { rateChange } from './rate-change.ts';
import { outcomeOf, type Simulation, type WhatIf, type WhatIfChange } from './what-if.ts';

const DAY = 86_400_000;
const MOST_PRINCIPALS = 100_000;
const MOST_DAYS = 4000;
const SHOWN = 100;

/** Milliseconds between two steps that are told. */
const TELL = 250;

/** What a replay depends on. */
export interface RunWhatIfSetting {
  readonly past: Pick<Past, 'page'>;
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly now: () => number;
  /** Shows a guard the calls that it did not look at then; without it nothing can be said of them. */
  readonly lookAgain?: LookAgain | undefined;
  /** Hears of a step four times a second. */
  readonly stepped?: ((whatIf: WhatIf) => void) | undefined;
}

/** The change at work. Errors: `option/invalid` where its numbers make no sense. */
export function simulationOf(change: WhatIfChange): Simulation {
  const positive = (name: string, value: number) => {
    if (!(Number.isFinite(value) && value > 0))
      throw new GlacisError('option/invalid', `what-if: expected ${name} above 0, got ${value}`);
  };
  switch (change.kind) {
    case 'guard':
      if (!Number.isFinite(change.threshold))
        throw new GlacisError('option/invalid', 'what-if: expected a threshold that is a number');
      return guardChange(change);
    case 'budget':
      positive('queries', change.queries);
      positive('window', change.window);
      return budgetChange(change);
    case 'rate':
      if ((change.requests === undefined) === (change.samples === undefined))
        throw new GlacisError('option/invalid', 'what-if: expected either requests or samples of a rate');
      positive('requests', change.requests ?? 1);
      positive('samples', change.samples ?? 1);
      positive('every', change.every);
      return rateChange(change);
  }
}

/**
 * Replays past decisions under a change, in their order, and counts whom it would have met. Memory is bounded whatever the number of decisions and callers. Errors: those of
 * the log, `option/invalid`, `run/cancelled`. `inCases` is false of everybody: whoever has the cases says it.
 */
export async function runWhatIf(
  id: string,
  scope: PastScope,
  change: WhatIfChange,
  { past, signal, now, lookAgain, stepped }: RunWhatIfSetting,
): Promise<WhatIf> {
  const simulation = simulationOf(change);
  const again =
    change.kind === 'guard' && lookAgain !== undefined ? openSecondLooks(change.guard, lookAgain) : undefined;
  const principals = new Map<string, { calls: number; changed: number }>();
  const pairs = new Map<string, { from: string; to: string; calls: number; samples: number }>();
  const days = new Map<number, number>();
  let [looked, others] = [0, 0];
  const count = (principal: string | undefined, differs: boolean) => {
    if (principal === undefined) return;
    const there = principals.get(principal);
    if (there) {
      there.calls++;
      if (differs) there.changed++;
    } else if (principals.size < MOST_PRINCIPALS)
      principals.set(principal, { calls: 1, changed: differs ? 1 : 0 });
    else if (differs) others++;
  };
  const shown = (state: WhatIf['state'], progress: WhatIf['progress']): WhatIf => ({
    ...{ id, state, change, looked, progress },
    unseen: simulation.unseen?.(),
    lookedAgain: again?.looked(),
    changed: [...pairs.values()].sort((a, b) => b.calls - a.calls),
    principals: [...principals]
      .filter(([, { changed }]) => changed > 0)
      .map(([principal, each]) => ({ principal, ...each, inCases: false }))
      .sort((a, b) => b.changed - a.changed || (a.principal < b.principal ? -1 : 1))
      .slice(0, SHOWN),
    days: [...days].sort(([a], [b]) => a - b),
    caveats: [
      ...(again?.caveats() ?? []),
      ...simulation.caveats(),
      ...(others > 0
        ? [`${others} changed calls are of principals beyond the first ${MOST_PRINCIPALS}.`]
        : []),
    ],
  });
  let told = now();
  for (let cursor = 0; ; ) {
    throwIfCancelled(signal, 'what-if');
    const page = await past.page(scope, cursor, signal);
    const within = page.decisions.filter((each) => isWithin(each, scope));
    for (const decision of again ? await again.of(within, signal) : within) {
      const to = simulation.judge(decision);
      if (to === undefined) continue;
      looked++;
      const from = outcomeOf(decision);
      count(decision.principal, from !== to);
      if (from === to) continue;
      const name = `${from}\0${to}`;
      const pair = pairs.get(name) ?? { from, to, calls: 0, samples: 0 };
      pairs.set(name, { ...pair, calls: pair.calls + 1, samples: pair.samples + decision.n });
      const day = Math.floor(decision.at / DAY) * DAY;
      if (days.has(day) || days.size < MOST_DAYS) days.set(day, (days.get(day) ?? 0) + 1);
    }
    cursor = page.cursor;
    const progress = [Math.min(cursor, page.of), page.of] as const;
    if (page.isEnd) return shown('done', progress);
    if (now() - told >= TELL) {
      stepped?.(shown('running', progress));
      told = now();
    }
    await new Promise(setImmediate);
  }
}
