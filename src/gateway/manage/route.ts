import type { z } from 'zod';
import type { Principal } from '../principal.ts';

/** One thing that the management side can do. */
export interface ManagementRoute<Body = unknown> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** As fastify has it: `/api/models/:name/rollback`. */
  readonly path: string;
  /** What it does, in a sentence: the description in the list of routes. */
  readonly about: string;
  /** The right that is asked about; undefined where nobody need sign in (only whether the process lives). */
  readonly action: string | undefined;
  /** The body; none without. Unknown fields are refused. */
  readonly body?: z.ZodType<Body>;
  /** The name of the event that an act leaves in the log before it is done. Reading leaves none. */
  readonly event?: string;
  run(call: ManagementCall<Body>): Promise<ManagementAnswer> | ManagementAnswer;
}

/** A call of a route, after identity, rights and body were checked. */
export interface ManagementCall<Body = unknown> {
  readonly params: Readonly<Record<string, string>>;
  /** The first value of each key. */
  readonly query: Readonly<Record<string, string>>;
  readonly body: Body;
  /** Who asks; `nobody` on a route without an action. */
  readonly by: Principal;
  /** Whether who asks may also do this. */
  readonly may: (action: string) => boolean;
  readonly signal: AbortSignal;
}

/** Who asks where nobody need sign in. */
export const NOBODY: Principal = {
  id: 'nobody',
  tenant: 'nobody',
  credential: 'none',
  kind: 'anonymous',
  roles: [],
};

/** JSON unless bytes or a text are given with their type. */
export type ManagementAnswer =
  | { readonly json: unknown; readonly status?: number }
  | {
      readonly bytes: Uint8Array | string;
      readonly type: string;
      readonly status?: number;
      readonly cache?: string;
    };

/** A route whose body is typed by its schema. */
export function route<Body = undefined>(given: ManagementRoute<Body>): ManagementRoute {
  return given as ManagementRoute;
}
