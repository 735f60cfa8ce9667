import type { AssessmentList } from '../console/api.ts';
import type { Assessments } from '../console/assessments/open-assessments.ts';
import { Refused } from '../refusal.ts';
import { type ManagementRoute, route } from './route.ts';

/** A report is somebody's page: nothing in it runs, nothing is loaded, and it counts as of another origin than the console. */
const SANDBOX =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

const MOST = 100;

/** Results of assessments in a folder of the operator's. `undefined`: the configuration names none. */
export function assessmentRoutes(assessments: Assessments | undefined): readonly ManagementRoute[] {
  const open = (): Assessments => {
    if (assessments === undefined) throw new Refused('unknown', 'no folder of assessments');
    return assessments;
  };
  const json = (text: string | undefined) =>
    text === undefined
      ? { json: { error: 'no such assessment' }, status: 404 }
      : { bytes: text, type: 'application/json' };
  return [
    route({
      method: 'GET',
      path: '/api/assessments',
      about: 'Results of assessments, the newest first; ?find=, ?before=, ?most=.',
      action: 'assessments.read',
      async run({ query }) {
        const { rows, unreadable } =
          assessments === undefined ? { rows: [], unreadable: 0 } : await assessments.list();
        const find = (query.find ?? '').toLowerCase();
        const fit = rows.filter(({ model, data, digest, root = '' }) =>
          [model, data, digest, root].some((text) => text.toLowerCase().includes(find)),
        );
        // The id of the last row of the page before.
        const start = query.before === undefined ? 0 : fit.findIndex(({ id }) => id === query.before) + 1;
        const most = Math.max(1, Math.min(MOST, Number(query.most) || MOST));
        const page = fit.slice(start, start + most);
        const list: AssessmentList = {
          rows: page,
          next: start + most < fit.length ? page.at(-1)!.id : undefined,
          unreadable,
          configured: assessments !== undefined,
        };
        return { json: list };
      },
    }),
    route({
      method: 'GET',
      path: '/api/assessments/compare',
      about: 'Two results held against each other, sample by sample: ?a=, ?b=.',
      action: 'assessments.read',
      run: async ({ query }) => json(await open().compare(query.a ?? '', query.b ?? '')),
    }),
    route({
      method: 'GET',
      path: '/api/assessments/:id',
      about: 'A whole result, in the format glacis.assessment/1.',
      action: 'assessments.read',
      run: async ({ params }) => json(await open().text(params.id!)),
    }),
    route({
      method: 'GET',
      path: '/api/assessments/:id/report',
      about: 'Its report as a page, in which nothing runs.',
      action: 'assessments.read',
      async run({ params }) {
        const page = await open().report(params.id!);
        if (page === undefined) return { json: { error: 'no such assessment' }, status: 404 };
        return {
          bytes: page,
          type: 'text/html; charset=utf-8',
          headers: { 'content-security-policy': SANDBOX, 'x-frame-options': 'SAMEORIGIN' },
        };
      },
    }),
  ];
}
