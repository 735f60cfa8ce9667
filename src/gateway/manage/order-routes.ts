import { z } from 'zod';
import type { Order, OrderWish } from '../../incident/order.ts';
import type { OrderAnswer, Page } from '../console/api.ts';
import { orderWishSchema } from '../contain/order-schema.ts';
import { type AskedOf, askInCase, askToLift } from './ask-in-case.ts';
import { type PreviewParts, previewOf } from './order-preview.ts';
import { wholeFrom } from './query-values.ts';
import type { RollBackParts } from './roll-back.ts';
import { type ManagementAnswer, type ManagementRoute, route } from './route.ts';
import { namedWish } from './veil.ts';

/** What the routes of measures stand on. */
export interface OrderParts extends PreviewParts {
  readonly incidents: AskedOf & RollBackParts['incidents'];
}

/** Measures against whatever goes on. They write their own events, before they are in force. What takes two persons is asked for in a case. */
export function orderRoutes(parts: OrderParts): readonly ManagementRoute[] {
  const { incidents, veil } = parts;
  const { overseen } = incidents;
  const meant = (wish: OrderWish) => (veil ? namedWish(wish, veil) : wish);
  const body = z.strictObject({ wish: orderWishSchema });
  return [
    route({
      method: 'GET',
      path: '/api/orders',
      about: 'Measures that are or were in force, the newest first; ?active=true, ?case=, ?most=.',
      action: 'incident.read',
      async run({ query }) {
        const { active, case: of, most } = query;
        const rows: readonly Order[] =
          active === 'true'
            ? overseen.active().filter((order) => of === undefined || order.case === of)
            : await overseen.list({
                ...(of !== undefined && { case: of }),
                most: wholeFrom(most, 'most') ?? 100,
              });
        return { json: { rows } satisfies Page<Order> };
      },
    }),
    route<{ wish: OrderWish }>({
      method: 'POST',
      path: '/api/orders',
      about:
        'Puts a measure in force: throttle, degrade, quarantine, guard, verify, pause, rollback, freeze; where the policy wants two persons, it is asked for in a case (202).',
      action: 'incident.act',
      body,
      async run({ body, by }) {
        const wish = meant(body.wish);
        if (!incidents.needsApproval(wish))
          return { json: (await overseen.order(wish, by.id)) satisfies OrderAnswer, status: 201 };
        return answered(await askInCase(wish, by.id, incidents));
      },
    }),
    route<{ wish: OrderWish }>({
      method: 'POST',
      path: '/api/orders/preview',
      about:
        'What would come of a measure: whom it would have met, whether it can be taken, and whether it takes two persons.',
      action: 'incident.act',
      body,
      run: async ({ body, may }) => ({ json: await previewOf(meant(body.wish), may, parts) }),
    }),
    route({
      method: 'POST',
      path: '/api/orders/:id/lift',
      about:
        'Takes a measure back: things are as they were before. Where the policy wants two persons, it is asked for in a case (202).',
      action: 'incident.act',
      async run({ params, by }) {
        const id = params.id!;
        const order = overseen.active().find((each) => each.id === id);
        if (order && incidents.config().fourEyes.lift.includes(order.measure))
          return answered(await askToLift(order, by.id, incidents));
        return { json: (await overseen.lift(id, by.id)) satisfies OrderAnswer };
      },
    }),
  ];
}

/** Done all the same where the policy changed at that moment. */
function answered(answer: OrderAnswer): ManagementAnswer {
  return { json: answer, status: 'asked' in answer ? 202 : 200 };
}
