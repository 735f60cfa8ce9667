import { z } from 'zod';
import type { Investigations } from '../../incident/investigations.ts';
import type { Incidents } from '../../incident/open-incidents.ts';
import type { WhatIfChange } from '../../incident/what-if/what-if.ts';
import { caseChange, needs } from './case-change.ts';
import { impactOf } from './incident-answers.ts';
import { textFrom, wholeFrom } from './query-values.ts';
import { type ManagementAnswer, type ManagementRoute, route } from './route.ts';

const name = z.string().min(1).max(256);
const time = z.int().min(0).max(8.64e15);
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
    per: z.enum(['principal', 'tenant', 'address', 'all']),
    requests: z.number().gt(0).max(1e12).optional(),
    samples: z.number().gt(0).max(1e12).optional(),
    every: z.number().gt(0).max(1e13),
  }),
]) satisfies z.ZodType<WhatIfChange>;
const replaying = z.strictObject({ model: name.optional(), from: time, to: time, change });

/** Searches for what was affected, evidence, and replays of the past. All of it writes its own events, before they count. */
export function investigationRoutes(
  incidents: Pick<Incidents, 'find'>,
  { impacts, whatIfs, ...evidence }: Investigations,
): readonly ManagementRoute[] {
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
    caseChange(
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
    caseChange(
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
    caseChange(
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
    caseChange(
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
