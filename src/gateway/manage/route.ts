import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { Principal } from '../principal.ts';

/** One thing that the management side can do. */
export interface ManagementRoute<Body = unknown> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** As fastify has it: `/api/models/:name/rollback`. */
  readonly path: string;
  /** What it does, in a sentence: the description in the list of routes. */
  readonly about: string;
  /** The right that is asked about; undefined where nobody need sign in (whether the process lives, the console's pages, signing in). */
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
  /** The request itself, for sessions and static files. */
  readonly knock: Knock;
}

/** What a request shows before anybody knows whom it is from. Headers and path are attacker-controlled. */
export interface Knock {
  readonly method: string;
  /** As it was sent, with the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The remote address; empty on a Unix socket. */
  readonly address: string;
  /** Whether it came over TLS. */
  readonly isSecure: boolean;
}

/** Knows who asks through a browser, by a session in place of a key. */
export interface Door {
  /** Undefined where the request shows no session. Errors: `Refused` `unauthenticated` where the session has ended, `request/invalid` where the request is another site's. */
  enter(knock: Knock): Promise<Principal | undefined>;
  /** Names besides its own that this server goes by: a request under another one is another site's (DNS rebinding). */
  readonly names: readonly string[];
  /** Whether a page with this origin is this server's own. */
  isOwnOrigin(origin: string, knock: Knock): boolean;
}

/** Who asks where nobody need sign in. */
export const NOBODY: Principal = {
  id: 'nobody',
  tenant: 'nobody',
  credential: 'none',
  kind: 'anonymous',
  roles: [],
};

/** JSON unless bytes, a text or a stream are given with their type. Headers given here replace those that every answer has. */
export type ManagementAnswer = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
} & (
  | { readonly json: unknown }
  | { readonly bytes: Uint8Array | string; readonly type: string; readonly cache?: string }
  /** Made when it is read; destroyed with the connection, and when the server closes. */
  | { readonly stream: () => Readable; readonly type: string }
);

/** A route whose body is typed by its schema. */
export function route<Body = undefined>(given: ManagementRoute<Body>): ManagementRoute {
  return given as ManagementRoute;
}
