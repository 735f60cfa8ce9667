import type { Suggestion } from '../../src/gateway/console/api.ts';
import type { Case } from '../../src/incident/case.ts';
import type { OrderWish } from '../../src/incident/order.ts';
import type { World } from './world.ts';

const DAY = 86_400_000;

/** What may be done about a case that is not closed, and is not in force yet. */
export function suggestionsOf(
  world: World,
  { id, kind, state, principals, title, models }: Case,
): readonly Suggestion[] {
  if (state === 'closed') return [];
  const until = world.now() + DAY;
  const of = (
    measure: OrderWish['measure'],
    target: OrderWish['target'],
    rest: Partial<OrderWish> = {},
  ): OrderWish => ({ measure, target, because: title, case: id, until, ...rest });
  const inForce = (wish: OrderWish) =>
    world.orders.some(
      (order) =>
        order.ended === undefined &&
        order.measure === wish.measure &&
        JSON.stringify(order.target) === JSON.stringify(wish.target),
    );
  const all: readonly Suggestion[] =
    kind === 'attack'
      ? principals.slice(0, 3).flatMap((principal) => [
          {
            title: `Answers to ${principal} hold the class alone`,
            why: 'Who gets labels alone needs many times as many questions to copy or to fool a model, and honest use goes on.',
            wish: of('degrade', { principal }, { detail: 'label' }),
            needsApproval: false,
          },
          {
            title: `${principal} may ask 30 times a minute`,
            why: 'It gains time to look: what needs thousands of questions takes days.',
            wish: of('throttle', { principal }, { perMinute: 30 }),
            needsApproval: false,
          },
          {
            title: `${principal} gets no answers`,
            why: 'It stops at once. If it was a good client, it stops, too.',
            wish: of('quarantine', { principal }),
            needsApproval: true,
          },
        ])
      : [
          {
            title: `The verifying model answers for ${models[0]}`,
            why: 'It was trained on other data: what confuses one seldom confuses both.',
            wish: of('verify', { model: models[0]! }),
            needsApproval: false,
          },
          {
            title: `${models[0]} goes back to the version before`,
            why: 'The change came after a new version.',
            wish: of('rollback', { model: models[0]! }),
            needsApproval: true,
          },
        ];
  return all.filter(({ wish }) => !inForce(wish));
}
