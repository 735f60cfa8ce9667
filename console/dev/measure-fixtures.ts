import type { OrderPreview, PolicyView } from '../../src/gateway/console/api.ts';
import type { OrderWish } from '../../src/incident/order.ts';
import { isSameWish } from '../../src/incident/wish.ts';
import { lift, needsTwo, order } from './case-changes.ts';
import type { Fixture } from './fixture-server.ts';
import { paged } from './paging.ts';
import type { World } from './world.ts';

/** Measures, what would come of one, and the guards that may be raised. */
export const measureFixtures: readonly Fixture[] = [
  {
    method: 'GET',
    path: '/api/orders',
    run: ({ world, query }) =>
      paged(
        world.orders.filter(({ ended }) => query.active !== 'true' || ended === undefined),
        query,
      ),
  },
  {
    method: 'POST',
    path: '/api/orders/preview',
    run: ({ world, body }) => previewOf(world, body.wish as OrderWish),
  },
  {
    method: 'POST',
    path: '/api/orders',
    run: ({ world, body, by }) => order(world, body.wish as OrderWish, by),
  },
  {
    method: 'POST',
    path: '/api/orders/:id/lift',
    run: ({ world, params, by }) => lift(world, params.id!, by),
  },
  { method: 'GET', path: '/api/policy', run: ({ world }) => policyOf(world) },
];

/** What would come of a measure: `digits` has no verifying model, and quarantine takes two persons. */
function previewOf(world: World, wish: OrderWish): OrderPreview {
  const { measure, target } = wish;
  const { principal, tenant, credential, address, model } = target;
  const isKnown = measure !== 'freeze' && credential === undefined && address === undefined;
  const met = world.decisions.filter(
    (row) =>
      (principal === undefined || row.principal === principal) &&
      (tenant === undefined || row.tenant === tenant) &&
      (model === undefined || row.model === model),
  );
  const names = [...new Set(met.flatMap((row) => row.principal ?? []))];
  return {
    ...(measure === 'verify' &&
      model === 'digits' && { against: 'verify: expected a second model of digits, got none' }),
    needsApproval: needsTwo(wish),
    inForce: world.orders.find((order) => order.ended === undefined && isSameWish(order, wish)),
    ...(isKnown && {
      calls: {
        n: Math.min(200, met.length),
        more: met.length > 200,
        principals: names.slice(0, 20),
        last: met[0]?.at,
      },
    }),
  };
}

/** What a form asks of the policy: which guards there are. */
function policyOf({ isEmpty }: World): PolicyView {
  const guards = ['energy', 'near-duplicates', 'prada'].map((guard) => ({
    ...{
      model: 'traffic-signs',
      guard,
      threshold: 0.5,
      action: 'flag',
      isOn: guard !== 'prada',
      about: 'A guard of the fixture.',
    },
  }));
  return {
    ...{ text: undefined, digest: undefined, models: [], rights: [], budgets: [] },
    rates: [
      { per: 'principal', requests: 500, every: 'second' },
      { per: 'all', samples: 20_000, every: 'second' },
    ],
    guards: isEmpty ? [] : guards,
  };
}
