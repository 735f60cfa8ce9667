import type { Principal } from '../principal.ts';
import type { ManagementAnswer, ManagementRoute } from './route.ts';

/** Somebody who signs in to the management side. */
export function person(id: string, ...roles: readonly string[]): Principal {
  return { id, tenant: 'acme', credential: `${id}'s`, kind: 'key', roles };
}

/** Calls a route as the management side would, after identity and rights were checked; its body goes through its schema. Errors: those of the route, and a `ZodError`. */
export async function call(
  routes: readonly ManagementRoute[],
  request: string,
  given: {
    readonly params?: Readonly<Record<string, string>>;
    readonly query?: Readonly<Record<string, string>>;
    readonly body?: unknown;
    readonly by?: Principal;
    /** What else who asks may do; everything without. */
    readonly may?: (action: string) => boolean;
  } = {},
): Promise<ManagementAnswer & { readonly json?: unknown; readonly bytes?: unknown }> {
  const found = routes.find(({ method, path }) => `${method} ${path}` === request);
  if (found === undefined) throw new Error(`there is no route ${request}`);
  return found.run({
    params: given.params ?? {},
    query: given.query ?? {},
    body: found.body === undefined ? undefined : found.body.parse(given.body ?? {}),
    by: given.by ?? person('ann', 'admin'),
    may: given.may ?? (() => true),
    signal: new AbortController().signal,
    knock: { method: request.split(' ')[0]!, path: '/', headers: {}, address: '127.0.0.1', isSecure: false },
  });
}
