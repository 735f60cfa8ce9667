import { answeredAs, type Simulation, type WhatIfChange } from './what-if.ts';

/** Outcomes of calls that guards look at. */
const REACHED: ReadonlySet<string> = new Set(['answered', 'unacceptable', 'held']);

/**
 * Another threshold or action of a guard: its scores are in the decisions. A call that this guard refused, and would not now, counts as answered as far as the
 * guards before it have spoken.
 */
export function guardChange({
  guard,
  threshold,
  action,
}: Extract<WhatIfChange, { kind: 'guard' }>): Simulation {
  let unseen = 0;
  let unscored = 0;
  let freed = 0;
  return {
    judge(decision) {
      const said = decision.guards.find((each) => each.guard === guard);
      if (said === undefined) {
        if (REACHED.has(decision.outcome)) unseen++;
        return undefined;
      }
      // A guard that looks at a share of the calls says 0 of those that it did not look at.
      if (said.score === 0 && said.action === 'pass' && threshold < 0) return undefined;
      if (said.score === null) unscored++;
      const isAbove = said.score === null || !(said.score <= threshold);
      const others = decision.guards.filter((each) => each !== said).map((each) => each.action);
      const actions = [...others, isAbove ? action : 'pass'];
      if (decision.outcome !== 'answered') {
        if (decision.outcome !== 'unacceptable' || said.action !== 'refuse') return decision.outcome;
        if (isAbove && action === 'refuse') return decision.outcome;
        freed++;
        return answeredAs(actions);
      }
      return isAbove && action === 'refuse' ? 'unacceptable' : answeredAs(actions);
    },
    unseen: () => unseen,
    caveats: () => [
      ...(unseen > 0
        ? [
            `Nothing can be said of ${unseen} calls: ${guard} has no score of them, because it was not on, or a guard before it had refused, and it could not be shown them now. To learn what it would do, put it on with "action: flag", which changes no answer, and ask again after some days.`,
          ]
        : []),
      'An attacker who meets another guard acts otherwise: this shows what the change does to honest use, and what it costs an attack that does not adapt.',
      'A guard that remembers a caller would have remembered other things after its first refusal.',
      ...(freed > 0
        ? [
            `${freed} calls count as answered that this guard refused: what guards after it would have said is not known.`,
          ]
        : []),
      ...(unscored > 0
        ? [`${unscored} calls had a score that is no number; they count as above the threshold.`]
        : []),
    ],
  };
}
