import type { PastDecision } from '../past.ts';
import { boundedStates, outcomeOf, type Simulation, type WhatIfChange } from './what-if.ts';

/** Steps of a window, as the gateway's budgets have them. */
const STEPS = 28;
const MOST = 100_000;
/** Outcomes of calls that reached the budget, and that it counts: others ended before it, or were given back. */
const COUNTED: ReadonlySet<string> = new Set(['answered', 'unacceptable', 'held', 'exhausted']);

interface Account {
  /** The step that `taken` ends with. */
  step: number;
  /** Queries of this step and those before it, a ring. */
  readonly taken: Float64Array;
}

/**
 * Another query budget, counted over the calls in their order as the gateway counts: a window of 28 steps that slides, a batch of n counts n, and what is refused takes
 * nothing. Time never goes back. Memory: 100,000 accounts, 30 MB.
 */
export function budgetChange({
  per,
  queries,
  window,
}: Extract<WhatIfChange, { kind: 'budget' }>): Simulation {
  const length = Math.max(1, Math.ceil(window / STEPS));
  const accounts = boundedStates<Account>(MOST);
  let time = Number.NEGATIVE_INFINITY;
  let freed = 0;
  const accountOf = (name: string, step: number): Account => {
    const account = accounts.get(name) ?? { step, taken: new Float64Array(STEPS + 1) };
    accounts.set(name, account);
    // A slot counts until its last moment has left the window: 28 steps and the one that lasts.
    for (let gone = account.step + 1; gone <= Math.min(step, account.step + STEPS + 1); gone++)
      account.taken[gone % (STEPS + 1)] = 0;
    account.step = step;
    return account;
  };
  return {
    judge(decision) {
      if (!COUNTED.has(decision.outcome)) return undefined;
      const name = nameOf(decision, per);
      if (name === undefined) return undefined;
      time = Math.max(time, decision.at);
      const step = Math.floor(time / length);
      const { taken } = accountOf(name, step);
      const used = taken.reduce((sum, n) => sum + n, 0);
      if (used + decision.n > queries) return 'exhausted';
      taken[step % (STEPS + 1)]! += decision.n;
      if (decision.outcome !== 'exhausted') return outcomeOf(decision);
      freed++;
      return 'answered';
    },
    caveats: () => [
      'Who runs out of budget asks otherwise, or under another name: this shows whom it would have met, not what they would have done.',
      'It counts from the first call of the time that was looked at: what was used before is not known.',
      'Answers with less detail near the end of a budget are not counted as changed.',
      ...(freed > 0
        ? [
            `${freed} calls count as answered that a budget refused: which of the budgets did is not in the log.`,
          ]
        : []),
      ...(accounts.forgotten() > 0
        ? [`More than ${MOST} accounts: ${accounts.forgotten()} that were idle the longest began anew.`]
        : []),
    ],
  };
}

function nameOf(
  { principal, tenant, model }: PastDecision,
  per: 'principal' | 'tenant' | 'model',
): string | undefined {
  const subject = per === 'principal' ? principal : per === 'tenant' ? tenant : '';
  return subject === undefined ? undefined : `${subject}\0${model}`;
}
