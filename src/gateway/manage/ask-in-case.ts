import type { ActOutcome } from '../../incident/acts.ts';
import type { Case } from '../../incident/case.ts';
import type { Incidents } from '../../incident/open-incidents.ts';
import type { Order, OrderWish } from '../../incident/order.ts';
import { whom } from '../../incident/wish.ts';

/** What waits for a second person, and in which case. */
export interface AskedAct {
  readonly asked: string;
  readonly case: Case;
}

/** What asking stands on. */
export type AskedOf = Pick<Incidents, 'open' | 'act' | 'lift'>;

/** Asks for a measure that takes two persons in a case: the one that it names, or one that is opened for it and for all who ask for the same while it is open. Errors: those of the case. */
export async function askInCase(wish: OrderWish, by: string, incidents: AskedOf): Promise<Order | AskedAct> {
  const id = wish.case ?? (await caseAbout(wish, '', by, incidents));
  return answerOf(await incidents.act(id, wish, by));
}

/** Asks for the end of a measure, in its own case or in one that is opened for it. Errors: as {@link askInCase}. */
export async function askToLift(order: Order, by: string, incidents: AskedOf): Promise<Order | AskedAct> {
  const id = order.case ?? (await caseAbout(order, 'the end of ', by, incidents));
  return answerOf(await incidents.lift({ ...order, case: id }, by));
}

async function caseAbout(
  { measure, target, because: why }: OrderWish,
  what: string,
  by: string,
  incidents: AskedOf,
): Promise<string> {
  const { model, ...who } = target;
  const isSomebody = Object.values(who).some((name) => name !== undefined);
  const about = `${what}${measure} for ${whom(target)}`;
  const { id } = await incidents.open(
    {
      ...{ title: `Asked for: ${about}`, subject: about, why, model, severity: 'medium' },
      ...{ kind: isSomebody ? 'attack' : 'fault', decisions: [] },
      principals: who.principal === undefined ? [] : [who.principal],
    },
    by,
  );
  return id;
}

function answerOf(outcome: ActOutcome): Order | AskedAct {
  return outcome.done ? outcome.order : { asked: outcome.act, case: outcome.case };
}
