import type { Order } from '../../incident/order.ts';
import type { Ask } from '../signs/ask.ts';
import { Ended, type Rehearsal, type Stage, stageFor } from './rehearsal-stage.ts';
import { rehearseEvidence, rehearseImpact, rehearseLifting, rehearseRollback } from './rehearse-aftermath.ts';
import { ATTACKER, type ContainedAttack, rehearseAttack, rehearseCalm } from './rehearse-attack.ts';
import { rehearseMeasures } from './rehearse-measures.ts';

/** From this picture on nobody has asked about any. */
const FRESH = 20_000;
const HOUR = 3_600_000;

/**
 * Calm traffic, a scripted attack, alarm, case, containment, every other measure, impact, rollback by two persons, evidence that is checked without the server, and everything lifted again. Each step tells
 * what shows that it worked; the first that does not ends the rehearsal. Errors: `run/cancelled`.
 */
export async function rehearse(given: Rehearsal): Promise<void> {
  const stage = stageFor(given);
  try {
    const honest = await rehearseCalm(stage);
    const attack = await rehearseAttack(stage, honest);
    await rehearseQuarantine(stage, attack, honest[1]!);
    await rehearseOthers(stage, attack);
    await rehearseImpact(stage, attack);
    await rehearseRollback(stage, attack);
    await rehearseEvidence(stage, attack);
    await rehearseLifting(stage, attack);
  } catch (thrown) {
    if (!(thrown instanceof Ended)) throw thrown;
  }
}

async function rehearseQuarantine(
  { post, must, done, doubtful }: Stage,
  { id, attacker }: ContainedAttack,
  other: Ask,
): Promise<void> {
  const until = Date.now() + HOUR;
  const wish = { measure: 'quarantine', target: { principal: ATTACKER }, because: 'drill', until };
  await post(`/api/cases/${id}/act`, { wish });
  const isAnswered = async (ask: Ask, i: number) => (await ask(doubtful(i), 1)).scores !== undefined;
  must('quarantine', !(await isAnswered(attacker, 0)), 'expected no answer any more');
  must('quarantine', await isAnswered(other, 1), 'expected everybody else to be answered');
  done('quarantine', 'by a person, for an hour: the attacker gets no answers, others do');
}

/** Every measure that one person may take. */
async function rehearseOthers(stage: Stage, { id }: ContainedAttack): Promise<void> {
  const { rest, desk, signal, hearsScores, must, done, keyed, doubtful, post } = stage;
  let questions = FRESH;
  await rehearseMeasures({
    ...{ rest, desk, signal, hearsScores, must, done, keyed },
    fresh: () => doubtful(questions++),
    act: async (wish) => (await post<{ readonly order: Order }>(`/api/cases/${id}/act`, { wish })).order,
    lift: ({ id: order }) => post(`/api/cases/${id}/lift`, { order }),
  });
}
