import { z } from 'zod';
import type { Containment, Order, OrderWish } from '../../incident/order.ts';
import type { Page } from '../console/api.ts';
import { orderWishSchema } from '../contain/order-schema.ts';
import { wholeFrom } from './query-values.ts';
import { type ManagementRoute, route } from './route.ts';

/** Measures against whatever goes on. They write their own events, before they are in force. */
export function orderRoutes(containment: Containment): readonly ManagementRoute[] {
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
            ? containment.active().filter((order) => of === undefined || order.case === of)
            : await containment.list({
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
        'Puts a measure in force: throttle, degrade, quarantine, guard, verify, pause, rollback, freeze.',
      action: 'incident.act',
      body: z.strictObject({ wish: orderWishSchema }),
      run: async ({ body, by }) => ({ json: await containment.order(body.wish, by.id), status: 201 }),
    }),
    route({
      method: 'POST',
      path: '/api/orders/:id/lift',
      about: 'Takes a measure back: things are as they were before.',
      action: 'incident.act',
      run: async ({ params, by }) => ({ json: await containment.lift(params.id!, by.id) }),
    }),
  ];
}
