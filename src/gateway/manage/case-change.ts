import type { z } from 'zod';
import { Refused } from '../refusal.ts';
import { type ManagementAnswer, type ManagementCall, type ManagementRoute, route } from './route.ts';

/** A route that changes something about cases, for whoever may act unless another action is named. */
export function caseChange<Body>(
  path: string,
  about: string,
  body: z.ZodType<Body>,
  run: (call: ManagementCall<Body>) => Promise<ManagementAnswer>,
  action = 'incident.act',
): ManagementRoute {
  return route<Body>({ method: 'POST', path, about, action, body, run });
}

/** Errors: `Refused` where who asks may do none of these. */
export function needs(may: (action: string) => boolean, ...actions: readonly string[]): void {
  if (!actions.some(may)) throw new Refused('unknown', `neither of ${actions.join(', ')} is allowed`);
}
