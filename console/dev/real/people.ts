import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { SignedIn } from '../../../src/gateway/console/api.ts';
import type { Event } from '../../../src/gateway/decision.ts';
import { identitySchema, rightsSchema } from '../../../src/gateway/identity/config-schema.ts';
import { databaseKeys } from '../../../src/gateway/identity/keys/database-keys.ts';
import { openManagementRights } from '../../../src/gateway/identity/management.ts';
import { openIdentity } from '../../../src/gateway/identity/open-identity.ts';
import { keyRoutes } from '../../../src/gateway/manage/key-routes.ts';
import { peopleRoutes } from '../../../src/gateway/manage/people-routes.ts';
import { reviewRoutes } from '../../../src/gateway/manage/review-routes.ts';
import { openReviews, verifySchema } from '../../../src/gateway/verify/index.ts';
import { openStore } from '../../../src/store/index.ts';
import type { Fixture } from '../fixture-server.ts';
import { fromRoutes } from './from-routes.ts';

/** Real keys, principals and reviews in a store of their own. */
export interface RealPeople {
  readonly fixtures: readonly Fixture[];
  /** Votes as another person, to be in the way of who looks. */
  voteAs(
    by: string,
    id: string,
    verdict: 'release' | 'refuse' | 'comment',
    comment?: string,
  ): Promise<unknown>;
  readonly reviewIds: readonly string[];
  close(): Promise<void>;
}

/** Opens them in `folder`; `record` gets what goes to the log. */
export async function openRealPeople(
  folder: string,
  record: (event: Event) => Promise<unknown>,
): Promise<RealPeople> {
  const now = Date.now;
  const failed = () => {};
  const store = await openStore({ kind: 'sqlite', file: join(folder, 'glacis.db') } as never, {
    now,
    broke: failed,
  });
  const identity = await openIdentity(identitySchema.parse(undefined), {
    ...{ secret: randomBytes(32), store: databaseKeys(store), now, failed },
    ...{ clock: () => performance.now(), placeOf: (path: string) => path },
  });
  const by = { id: 'ada', mayGrant: true };
  const scope = { models: ['*'], operations: ['infer', 'metadata', 'ready'], detail: 'scores' } as const;
  const make = (principal: string, tenant: string, roles: readonly string[] = [], name?: string) =>
    identity.keys.create({ principal, tenant, roles, scope, name }, by);
  await make('ada', 'local', ['admin'], 'made at the start');
  await make('grace', 'local', ['operator', 'auditor']);
  await make('linus', 'local', ['reviewer']);
  for (let i = 1; i <= 66; i++)
    await make(`gate-cam-${String(i).padStart(2, '0')}`, 'acme', [], i % 3 ? undefined : 'north gate');
  await make('<script>alert(1)</script>', 'trial');
  const probe = await make('probe-a7', 'trial');
  const old = await make('fleet-berlin', 'acme', [], 'vans');
  await identity.keys.rotate(old.record.id, by);
  await identity.keys.revoke(probe.record.id, by, 'it was copying the model');
  await identity.keys.shutOut('probe-a7', 'trial', true, by, 'case C-2026-0012');

  const reviews = openReviews(verifySchema.shape.reviews.parse({}), { store, record, now });
  const reviewIds: string[] = [];
  for (const [i, principal] of [
    'gate-cam-07',
    'fleet-berlin',
    'ada',
    '<b>mallory</b>',
    'gate-cam-11',
  ].entries()) {
    const id = randomBytes(16).toString('hex');
    reviewIds.push(id);
    await reviews.add({
      ...{ id, at: now() - i * 410_000, principal, tenant: 'acme', model: 'traffic-signs', version: '3' },
      ...{ digest: `sha256:${'9f86d081'.repeat(8)}`, divergence: 0.91 - 0.11 * i, n: i === 1 ? 16 : 1 },
      subject: randomBytes(16).toString('hex'),
      samples: Array.from({ length: i === 1 ? 3 : 1 }, (_, k) => ({
        index: k * 5,
        divergence: 0.91 - 0.11 * i - 0.02 * k,
        first: [2 + k, 0.93 - 0.07 * i] as const,
        second: [(5 + i + k) % 12, 0.81 - 0.06 * k] as const,
      })),
    });
  }
  const voteAs: RealPeople['voteAs'] = async (who, id, verdict, comment) =>
    reviews.decide(id, { by: who, verdict, comment, revision: (await reviews.find(id))!.revision });
  await voteAs('linus', reviewIds[1]!, 'comment', 'The van was filmed in rain. <i>Look at sample 6</i>.');
  const management = await openManagementRights(rightsSchema.parse({}), { now, failed });
  return {
    fixtures: [
      ...sessionFixtures(now()),
      ...fromRoutes([
        ...keyRoutes(identity.keys),
        ...peopleRoutes({ store, keys: identity.keys, management }),
        ...reviewRoutes(reviews),
      ]),
    ],
    ...{ voteAs, reviewIds },
    async close() {
      await identity.close();
      await store.close();
    },
  };
}

/** Sessions that are made up: real ones belong to the console's own sign-in. */
function sessionFixtures(now: number): readonly Fixture[] {
  const of = (name: string, principal: string, way: string): SignedIn => ({
    ...{ name, principal, tenant: 'local', credential: 'k', address: '10.4.0.9', way },
    ...{ created: now - 3_600_000, seen: now - 60_000, ends: now + 7_200_000 },
  });
  let rows = [of('s1', 'ada', 'link'), of('s2', '<u>grace</u>', 'company')];
  return [
    { method: 'GET', path: '/api/sessions', run: () => rows },
    {
      method: 'POST',
      path: '/api/sessions/:name/end',
      run({ params }) {
        rows = rows.filter(({ name }) => name !== params.name);
        return { ended: params.name };
      },
    },
  ];
}
