import { z } from 'zod';
import type { ActOutcome } from '../../incident/acts.ts';
import { CASE_STATES, type Case } from '../../incident/case.ts';
import type { Investigations } from '../../incident/investigations.ts';
import type { Incidents } from '../../incident/open-incidents.ts';
import type { OrderWish } from '../../incident/order.ts';
import { ALARM_KINDS, ALARM_SEVERITIES } from '../../monitor/alarm.ts';
import type { CaseDetail, OpenedCase } from '../console/api.ts';
import { orderWishSchema } from '../contain/order-schema.ts';
import { caseChange, needs } from './case-change.ts';
import { rowOf } from './incident-answers.ts';
import { textFrom, wholeFrom } from './query-values.ts';
import { type ManagementAnswer, type ManagementRoute, route } from './route.ts';

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
/**
 * Cases, alarms, and what is done about them. All of it writes its own events, before they count. Closing is left to whoever may close (`incident.close`), all other changes to whoever may act
 * (`incident.act`).
 */
export function incidentRoutes(
  incidents: Incidents,
  evidence: Pick<Investigations, 'decisionsOf'>,
): readonly ManagementRoute[] {
  const caseOf = async (id: string): Promise<ManagementAnswer> => {
    const found = await incidents.find(id);
    if (found === undefined) return { json: { error: 'no such case' }, status: 404 };
    const decisions = await evidence.decisionsOf(found, SHOWN).catch(() => []);
    return { json: { ...found, decisions: decisions.map(rowOf) } satisfies CaseDetail };
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
    caseChange(
      '/api/cases',
      'Opens a case by hand (201), or adds to the open one about the same principals and model (200).',
      opening,
      async ({ body, by }) => {
        const opened: OpenedCase = await incidents.open(body, by.id);
        return { json: opened, status: opened.isNew ? 201 : 200 };
      },
      'incident.open',
    ),
    caseChange<{ wish: OrderWish }>(
      '/api/cases/:id/act',
      'Takes a measure, or asks for a second person where the policy wants one (202).',
      z.strictObject({ wish: orderWishSchema }),
      async ({ params, body, by }) => outcome(await incidents.act(params.id!, body.wish, by.id)),
    ),
    caseChange(
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
    caseChange(
      '/api/cases/:id/approve',
      'The second person agrees: then it is done.',
      answering,
      async ({ params, body, by }) => outcome(await incidents.approve(params.id!, body.act, by.id)),
    ),
    caseChange('/api/cases/:id/decline', 'It is not done.', answering, async ({ params, body, by }) => ({
      json: await incidents.decline(params.id!, body.act, by.id),
    })),
    caseChange(
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
    caseChange(
      '/api/cases/:id/owner',
      'Says whose case it is; without "owner", nobody\'s.',
      owning,
      async ({ params, body, by, may }) => {
        needs(may, 'incident.act', 'incident.close');
        return { json: await incidents.owner(params.id!, body, by.id) };
      },
      'incident.read',
    ),
    caseChange(
      '/api/cases/:id/comment',
      'Writes into a case.',
      z.strictObject({ text: z.string().min(1).max(4000) }),
      async ({ params, body, by, may }) => {
        needs(may, 'incident.act', 'incident.close');
        return { json: await incidents.comment(params.id!, body.text, by.id), status: 201 };
      },
      'incident.read',
    ),
  ];
}

function outcome(done: ActOutcome): ManagementAnswer {
  return done.done
    ? { json: { order: done.order, case: done.case } }
    : { json: { asked: done.act, case: done.case }, status: 202 };
}
