import { z } from 'zod';
import type { KeyList, KeyRow } from '../console/api.ts';
import { DETAILS } from '../detail.ts';
import type { KeyActor, KeyDesk } from '../identity/keys/key-desk.ts';
import { KEY_STATES, keyPage, keyState } from '../identity/keys/key-page.ts';
import type { KeyRecord } from '../identity/keys/key-record.ts';
import { OPERATIONS } from '../rights.ts';
import { type ManagementCall, type ManagementRoute, route } from './route.ts';

const DAY = 86_400_000;
/** Keys of a page. */
const MOST = 100;
const text = z.string().min(1).max(128);

const wish = z.strictObject({
  principal: text,
  tenant: text,
  name: text.optional(),
  roles: z.array(text).max(32).optional(),
  models: z.array(text).min(1).max(200).default(['*']),
  operations: z.array(z.enum(OPERATIONS)).default([...OPERATIONS]),
  detail: z.enum(DETAILS).default('scores'),
  days: z.number().gt(0).max(36_500).optional(),
});

/** API keys and principals. A key's text is in the answer to who made it, and nowhere else. */
export function keyRoutes(keys: KeyDesk, now: () => number = Date.now): readonly ManagementRoute[] {
  return [
    route({
      method: 'GET',
      path: '/api/keys',
      about:
        'Keys, without their secrets, the newest first; ?principal=, ?tenant=, ?find=, ?state=, ?before=, ?most=.',
      action: 'keys.list',
      run({ query }) {
        const { principal, tenant, find, state, before, most } = query;
        const at = now();
        const { rows, next, total } = keyPage(
          keys.list(),
          {
            ...{ principal, tenant, find, before },
            state: KEY_STATES.find((each) => each === state),
            most: Math.max(1, Math.min(MOST, Math.floor(Number(most) || MOST))),
          },
          at,
        );
        const page: KeyList = { rows: rows.map((record) => shown(record, at)), next, total };
        return { json: page };
      },
    }),
    route<z.output<typeof wish>>({
      method: 'POST',
      path: '/api/keys',
      about: 'A new key; its text is shown this once.',
      action: 'keys.create',
      event: 'key-created',
      body: wish,
      async run(call) {
        const { principal, tenant, name, roles, models, operations, detail, days } = call.body;
        const lifetime = days === undefined ? undefined : days * DAY;
        const scope = { models, operations, detail };
        const made = await keys.create({ principal, tenant, name, roles, scope, lifetime }, actor(call));
        return { json: { key: made.text, ...shown(made.record, now()) }, status: 201 };
      },
    }),
    route<{ overlapDays?: number | undefined }>({
      method: 'POST',
      path: '/api/keys/:id/rotate',
      about: 'A new key in place of this one, which holds on for a while.',
      action: 'keys.rotate',
      event: 'key-rotated',
      body: z.strictObject({ overlapDays: z.number().min(0).max(365).optional() }),
      async run(call) {
        const { overlapDays } = call.body;
        const overlap = overlapDays === undefined ? undefined : overlapDays * DAY;
        const made = await keys.rotate(call.params.id!, actor(call), { overlap });
        return { json: { key: made.text, ...shown(made.record, now()) }, status: 201 };
      },
    }),
    route<{ because?: string | undefined }>({
      method: 'POST',
      path: '/api/keys/:id/revoke',
      about: 'The end of a key, at once.',
      action: 'keys.revoke',
      event: 'key-revoked',
      body: z.strictObject({ because: z.string().max(500).optional() }),
      async run(call) {
        await keys.revoke(call.params.id!, actor(call), call.body.because);
        return { json: { revoked: call.params.id } };
      },
    }),
    route<{ tenant: string; out: boolean; because?: string | undefined }>({
      method: 'POST',
      path: '/api/principals/:id/shut-out',
      about: 'No more service for a principal, whatever it presents; with "out": false, service again.',
      action: 'principals.shut-out',
      event: 'principal-shut-out',
      body: z.strictObject({
        tenant: text,
        out: z.boolean().default(true),
        because: z.string().max(500).optional(),
      }),
      async run(call) {
        const { tenant, out, because } = call.body;
        await keys.shutOut(call.params.id!, tenant, out, actor(call), because);
        return { json: { principal: call.params.id, out } };
      },
    }),
  ];
}

function actor({ by, may }: ManagementCall<unknown>): KeyActor {
  return { id: by.id, credential: by.credential, mayGrant: may('roles.grant') };
}

/** What anybody who may list keys sees: not the hash, which would let its owner's secret be tried offline. */
function shown(record: KeyRecord, at: number): KeyRow {
  const { hash: _, ...rest } = record;
  return { ...rest, state: keyState(record, at) };
}
