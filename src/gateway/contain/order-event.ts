import type { Order } from '../../incident/order.ts';
import type { Event } from '../decision.ts';

/** What the log says of a measure: all that is needed to know whom it met and why. */
export function orderEvent(
  event:
    | 'order-given'
    | 'order-lifted'
    | 'order-ended'
    | 'order-in-force'
    | 'order-out-of-force'
    | 'order-failed',
  { id, measure, target, perMinute, detail, guard, because, case: of, until, by: giver }: Order,
  { at, by, more = {} }: { readonly at: number; readonly by: string; readonly more?: Event['about'] },
): Event {
  const given = {
    order: id,
    measure,
    ...target,
    perMinute,
    detail,
    guard: guard?.name,
    strictness: guard?.strictness,
    action: guard?.action,
    because,
    case: of,
    until,
    givenBy: giver === by ? undefined : giver,
    ...more,
  };
  const about = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { kind: 'event', at, event, by, about: about as Event['about'] };
}
