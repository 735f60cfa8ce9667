import type { OrderWish } from '../../incident/order.ts';
import { ACTIONS, type Action, type GuardVerdict, type InputGuard } from '../guard.ts';

/** What a measure changes about a guard. */
type Strictness = Omit<NonNullable<OrderWish['guard']>, 'name'>;

/**
 * A guard with the strictest threshold and the gravest action of all `changes`, whichever comes first. The threshold moves by a share of its size towards the harmless side, also where it is below zero. A guard without
 * a threshold keeps its own judgement, and only what follows from it is graver. Never milder than the guard itself.
 */
export function stricterGuard(guard: InputGuard, changes: readonly Strictness[]): InputGuard {
  if (changes.length === 0) return guard;
  const strictness = Math.min(...changes.map((change) => change.strictness));
  const action = changes.flatMap((change) => change.action ?? []).reduce<Action>(graverOf, 'pass');
  const { alarm } = guard;
  const bound = alarm && alarm.threshold - (1 - strictness) * Math.abs(alarm.threshold);
  const judged = (said: GuardVerdict): GuardVerdict => {
    // Written so that NaN is an alarm.
    const isAbove = bound !== undefined && !(said.score <= bound);
    if (said.action === 'pass' && !isAbove) return said;
    const own = said.action === 'pass' ? alarm!.action : said.action;
    const graver = graverOf(own, action);
    if (graver === said.action) return said;
    const because = said.action === 'pass' ? `score above ${bound}, as ordered` : said.because;
    return { ...said, action: graver, because };
  };
  return {
    ...guard,
    judge(call) {
      const said = guard.judge(call);
      return said instanceof Promise ? said.then(judged) : judged(said);
    },
  };
}

function graverOf(a: Action, b: Action): Action {
  return ACTIONS.indexOf(a) > ACTIONS.indexOf(b) ? a : b;
}
