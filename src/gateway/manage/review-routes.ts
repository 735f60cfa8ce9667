import { z } from 'zod';
import type { Page } from '../console/api.ts';
import { REVIEW_STATES, type Review, type Reviews } from '../verify/reviews.ts';
import { type ManagementRoute, route } from './route.ts';

const vote = z.strictObject({
  verdict: z.enum(['release', 'refuse', 'comment']),
  comment: z.string().max(2000).optional(),
  revision: z.int().min(0),
});

/** Reviews of a page. */
const MOST = 100;

/** Decisions that are held until a person decides. */
export function reviewRoutes(reviews: Reviews): readonly ManagementRoute[] {
  return [
    route({
      method: 'GET',
      path: '/api/reviews',
      about: 'Held decisions, the newest first; ?state=, ?model=, ?principal=, ?tenant=, ?before=, ?most=.',
      action: 'reviews.list',
      async run({ query }) {
        const { state, model, principal, tenant, before } = query;
        const most = Math.max(1, Math.min(MOST, wholeOf(query.most) ?? MOST));
        const rows = await reviews.list({
          state: REVIEW_STATES.find((each) => each === state),
          ...{ model, principal, tenant, most },
          before: wholeOf(before),
        });
        const page: Page<Review> = {
          rows,
          next: rows.length === most ? String(rows.at(-1)!.at) : undefined,
        };
        return { json: page };
      },
    }),
    route({
      method: 'GET',
      path: '/api/reviews/:id',
      about: 'One held decision, with what both models said.',
      action: 'reviews.list',
      async run({ params }) {
        const found = await reviews.find(params.id!);
        return found ? { json: found } : { json: { error: 'no such review' }, status: 404 };
      },
    }),
    route<z.output<typeof vote>>({
      method: 'POST',
      path: '/api/reviews/:id/decide',
      about: 'A vote: release, refuse or comment; "revision" is the one that you saw.',
      action: 'reviews.decide',
      body: vote,
      run: async ({ params, body, by }) => ({
        json: await reviews.decide(params.id!, { by: by.id, ...body }),
      }),
    }),
  ];
}

function wholeOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
