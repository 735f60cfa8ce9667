import { z } from 'zod';
import type { ActOutcome } from '../../incident/acts.ts';
import { CASE_STATES, type Case } from '../../incident/case.ts';
import type { AffectedDecision, ImpactSummary } from '../../incident/impact/impact.ts';
import type { Investigations } from '../../incident/investigations.ts';
import type { Incidents } from '../../incident/open-incidents.ts';
import type { OrderWish } from '../../incident/order.ts';
import { type PastDecision, strongestGuard } from '../../incident/past.ts';
import type { WhatIfChange } from '../../incident/what-if/what-if.ts';
import { ALARM_KINDS, ALARM_SEVERITIES } from '../../monitor/alarm.ts';
import type { CaseDetail, DecisionRow, Impact, ImpactScope, OpenedCase } from '../console/api.ts';
import { orderWishSchema } from '../contain/order-schema.ts';
import { Refused } from '../refusal.ts';
import { textFrom, wholeFrom } from './query-values.ts';
import { type ManagementAnswer, type ManagementCall, type ManagementRoute, route } from './route.ts';

/** Decisions shown with a case. */
const SHOWN = 16;

const name = z.string().min(1).max(256);
const time = z.int().min(0).max(8.64e15);
const revision = z.int().min(0);
const VERDICTS = ['attack', 'drift', 'fault', 'false-alarm'] as const satisfies readonly NonNullable<
  Case['verdict']
>[];

const opening = z.strictObject({
  title: z.string().min(1).max(300),
  why: z.string().max(4000).default(''),
  kind: z.enum(ALARM_KINDS),
  severity: z.enum(ALARM_SEVERITIES).default('medium'),
  model: name.optional(),
  principals: z.array(name).max(32).default([]),
  decisions: z
    .array(z.string().regex(/^[0-9a-f]{32}$/))
    .max(64)
    .default([]),
  first: time.optional(),
  last: time.optional(),
});
const moving = z.strictObject({ state: z.enum(CASE_STATES), verdict: z.enum(VERDICTS).optional(), revision });
const owning = z.strictObject({ owner: z.string().max(256).optional(), revision });
const answering = z.strictObject({ act: z.string().regex(/^[0-9a-f]{32}$/) });
const scope = z.strictObject({
  model: name.optional(),
  version: name.optional(),
  digest: name.optional(),
  principal: name.optional(),
  tenant: name.optional(),
  from: time.optional(),
  to: time.optional(),
  feed: name.optional(),
  data: name.optional(),
});
const searching = z.strictObject({ scope, against: name.optional() });
const change = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('guard'),
    guard: z.string().min(1).max(60),
    threshold: z.number(),
    action: z.enum(['flag', 'degrade', 'refuse']),
  }),
  z.strictObject({
    kind: z.literal('budget'),
    per: z.enum(['principal', 'tenant', 'model']),
    queries: z.number().gt(0).max(1e15),
    window: z.number().gt(0).max(1e13),
  }),
  z.strictObject({
    kind: z.literal('rate'),
    per: z.enum(['principal', 'tenant', 'address']),
    requests: z.number().gt(0).max(1e12),
    every: z.number().gt(0).max(1e13),
  }),
]) satisfies z.ZodType<WhatIfChange>;
const replaying = z.strictObject({ model: name.optional(), from: time, to: time, change });

/**
 * Cases, alarms, and what is done about them; searches for what was affected; evidence; replays of the past. All of it writes its own events, before they count. Closing is left
 * to whoever may close (`incident.close`), all other changes to whoever may act (`incident.act`).
 */
export function incidentRoutes(
  incidents: Incidents,
  { impacts, whatIfs, ...evidence }: Investigations,
): readonly ManagementRoute[] {
  const changes = <Body>(
    path: string,
    about: string,
    body: z.ZodType<Body>,
    run: (call: ManagementCall<Body>) => Promise<ManagementAnswer>,
    action = 'incident.act',
  ) => route<Body>({ method: 'POST', path, about, action, body, run });
  const caseOf = async (id: string): Promise<ManagementAnswer> => {
    const found = await incidents.find(id);
    if (found === undefined) return { json: { error: 'no such case' }, status: 404 };
    const decisions = await evidence.decisionsOf(found, SHOWN).catch(() => []);
    return { json: { ...found, decisions: decisions.map(rowOf) } satisfies CaseDetail };
  };
  const bundleOf = async (digest: string | undefined, file: string): Promise<ManagementAnswer> => {
    const bytes = digest === undefined ? undefined : await evidence.bundleBytes(digest);
    if (bytes === undefined) return { json: { error: 'no such bundle, or not any more' }, status: 404 };
    // The name is made of an id alone, which is letters, digits and dashes.
    return {
      bytes,
      type: 'application/zip',
      headers: { 'content-disposition': `attachment; filename="${file}.zip"` },
    };
  };
  return [
    route({
      method: 'GET',
      path: '/api/alarms',
      about: 'Alarms, the newest first; ?model=, ?kind=, ?case=, ?before=, ?most=.',
      action: 'incident.read',
      async run({ query }) {
        const of = (each: string) => textFrom(query[each], each);
        const asked = { model: of('model'), kind: of('kind'), case: of('case'), before: of('before') };
        return { json: await incidents.alarms({ ...asked, most: wholeFrom(query.most, 'most') }) };
      },
    }),
    route({
      method: 'GET',
      path: '/api/cases',
      about: 'Cases, the one that changed last first; ?state=, ?kind=, ?find=, ?before=, ?most=.',
      action: 'incident.read',
      async run({ query }) {
        const of = (each: string) => textFrom(query[each], each);
        const state = CASE_STATES.find((each) => each === query.state);
        const asked = { state, kind: of('kind'), find: of('find'), before: of('before') };
        return { json: await incidents.list({ ...asked, most: wholeFrom(query.most, 'most') }) };
      },
    }),
    route({
      method: 'GET',
      path: '/api/cases/:id',
      about: 'A case: what happened, its alarms and measures, and what could be done now.',
      action: 'incident.read',
      run: ({ params }) => caseOf(params.id!),
    }),
    changes(
      '/api/cases',
      'Opens a case by hand (201), or adds to the open one about the same principals and model (200).',
      opening,
      async ({ body, by }) => {
        const opened: OpenedCase = await incidents.open(body, by.id);
        return { json: opened, status: opened.isNew ? 201 : 200 };
      },
      'incident.open',
    ),
    changes<{ wish: OrderWish }>(
      '/api/cases/:id/act',
      'Takes a measure, or asks for a second person where the policy wants one (202).',
      z.strictObject({ wish: orderWishSchema }),
      async ({ params, body, by }) => outcome(await incidents.act(params.id!, body.wish, by.id)),
    ),
    changes(
      '/api/cases/:id/lift',
      'Ends a measure of a case, or asks for a second person (202).',
      z.strictObject({ order: z.string().min(1).max(64) }),
      async ({ params, body, by }) => {
        const found = await incidents.find(params.id!);
        const order = found?.orders.find(({ id, ended }) => id === body.order && ended === undefined);
        if (order === undefined)
          return { json: { error: 'no such measure of this case in force' }, status: 404 };
        return outcome(await incidents.lift({ ...order, case: params.id! }, by.id));
      },
    ),
    changes(
      '/api/cases/:id/approve',
      'The second person agrees: then it is done.',
      answering,
      async ({ params, body, by }) => outcome(await incidents.approve(params.id!, body.act, by.id)),
    ),
    changes('/api/cases/:id/decline', 'It is not done.', answering, async ({ params, body, by }) => ({
      json: await incidents.decline(params.id!, body.act, by.id),
    })),
    changes(
      '/api/cases/:id/state',
      'Moves a case on; "revision" is the one that you saw; closing takes a "verdict".',
      moving,
      async ({ params, body, by, may }) => {
        needs(may, body.state === 'closed' ? 'incident.close' : 'incident.act');
        const { state, verdict, revision: seen } = body;
        const wish = { state, revision: seen, ...(verdict && { verdict }) };
        return { json: await incidents.state(params.id!, wish, by.id) };
      },
      'incident.read',
    ),
    changes(
      '/api/cases/:id/owner',
      'Says whose case it is; without "owner", nobody\'s.',
      owning,
      async ({ params, body, by, may }) => {
        needs(may, 'incident.act', 'incident.close');
        return { json: await incidents.owner(params.id!, body, by.id) };
      },
      'incident.read',
    ),
    changes(
      '/api/cases/:id/comment',
      'Writes into a case.',
      z.strictObject({ text: z.string().min(1).max(4000) }),
      async ({ params, body, by, may }) => {
        needs(may, 'incident.act', 'incident.close');
        return { json: await incidents.comment(params.id!, body.text, by.id), status: 201 };
      },
      'incident.read',
    ),
    changes(
      '/api/cases/:id/impact',
      'Searches the log for what was affected; "against" names a good version to replay it on.',
      searching,
      async ({ params, body, by, may }) => {
        needs(may, 'incident.act', 'log.read');
        const found = await incidents.find(params.id!);
        if (found === undefined) return { json: { error: 'no such case' }, status: 404 };
        const begun = await impacts.start({ ...body, case: params.id! }, by.id);
        return { json: impactOf(begun, { rows: [] }), status: 202 };
      },
      'incident.read',
    ),
    route({
      method: 'GET',
      path: '/api/impacts/:id',
      about: 'How far a search is, and what it found: those that differ first; ?before=, ?most=.',
      action: 'incident.read',
      async run({ params, query }) {
        const found = await impacts.find(params.id!);
        if (found === undefined) return { json: { error: 'no such search' }, status: 404 };
        const page = { before: textFrom(query.before, 'before'), most: wholeFrom(query.most, 'most') };
        return { json: impactOf(found, await impacts.rows(params.id!, page)) };
      },
    }),
    changes(
      '/api/impacts/:id/cancel',
      'Ends a search.',
      z.strictObject({}),
      async ({ params, may }) => {
        needs(may, 'incident.act', 'log.read');
        await impacts.cancel(params.id!);
        return { json: { cancelled: params.id } };
      },
      'incident.read',
    ),
    route({
      method: 'GET',
      path: '/api/impacts/:id/bundle',
      about: 'The evidence that was packed when a search had ended (zip).',
      action: 'incident.read',
      async run({ params, may }) {
        needs(may, 'incident.act', 'log.export');
        const found = await impacts.find(params.id!);
        return bundleOf(found?.bundle?.digest, found?.case ?? 'evidence');
      },
    }),
    changes(
      '/api/cases/:id/bundle',
      'Packs a case as it is now, with the proofs of the log: one file that is checked without a server.',
      z.strictObject({}),
      async ({ params, by, may, signal }) => {
        needs(may, 'incident.act', 'log.export');
        return { json: await evidence.bundle(params.id!, by.id, signal), status: 201 };
      },
      'incident.read',
    ),
    route({
      method: 'GET',
      path: '/api/cases/:id/bundle',
      about: 'The newest evidence of a case (zip).',
      action: 'incident.read',
      async run({ params, may }) {
        needs(may, 'incident.act', 'log.export');
        return bundleOf(await evidence.newestBundle(params.id!), params.id!.replace(/[^\w-]/g, ''));
      },
    }),
    changes(
      '/api/what-if',
      'Replays the past under another guard, budget or rate.',
      replaying,
      async ({ body, may }) => {
        needs(may, 'incident.act', 'log.read');
        const { change: wanted, ...within } = body;
        return { json: whatIfs.start(within, wanted), status: 202 };
      },
      'guards.read',
    ),
    route({
      method: 'GET',
      path: '/api/what-if/:id',
      about: 'How far a replay is, and what would have been different.',
      action: 'guards.read',
      run({ params }) {
        const found = whatIfs.find(params.id!);
        return found ? { json: found } : { json: { error: 'no such replay' }, status: 404 };
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/what-if/:id',
      about: 'Ends a replay.',
      action: 'guards.read',
      run({ params }) {
        whatIfs.cancel(params.id!);
        return { json: { cancelled: params.id } };
      },
    }),
  ];
}

/** Errors: `Refused` where who asks may do none of these. */
function needs(may: (action: string) => boolean, ...actions: readonly string[]): void {
  if (!actions.some(may)) throw new Refused('unknown', `neither of ${actions.join(', ')} is allowed`);
}

function outcome(done: ActOutcome): ManagementAnswer {
  return done.done
    ? { json: { order: done.order, case: done.case } }
    : { json: { asked: done.act, case: done.case }, status: 202 };
}

/** A decision as a list shows it. */
function rowOf(decision: PastDecision): DecisionRow {
  const {
    entry,
    id,
    at,
    principal,
    tenant,
    model,
    version,
    n,
    outcome: end,
    because,
    top,
    divergence,
  } = decision;
  const worst = strongestGuard(decision);
  return {
    ...{ entry, id, at, principal, tenant, model, version, n, outcome: end },
    ...(because !== undefined && { because }),
    ...(top && { top: top.slice(0, 8) }),
    ...(worst && worst.action !== 'pass' && { guard: { ...worst, score: worst.score ?? 0 } }),
    ...(divergence !== undefined && { divergence }),
  };
}

function impactOf(
  {
    id,
    state,
    because,
    scope: asked,
    against,
    looked,
    affected,
    replayed,
    different,
    ...rest
  }: ImpactSummary,
  { rows, next }: { readonly rows: readonly AffectedDecision[]; readonly next?: string | undefined },
): Impact {
  const { unkept, progress, principals, bundle } = rest;
  return {
    ...{ id, state, because, scope: asked satisfies ImpactScope, against },
    ...{ looked, affected, replayed, different, unkept, progress, principals, bundle, next },
    rows: rows.map((each) => ({
      ...rowOf(each),
      different: each.different,
      ...(each.now && { now: each.now.slice(0, 8) }),
    })),
  };
}
