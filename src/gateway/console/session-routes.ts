import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { MANAGEMENT_ACTIONS } from '../identity/management.ts';
import { type Knock, type ManagementAnswer, type ManagementRoute, route } from '../manage/route.ts';
import { Refused } from '../refusal.ts';
import type { SessionInfo, SignInWays } from './api.ts';
import { csrfToken, setCookie } from './cookies.ts';
import type { ConsoleDoor } from './door.ts';
import type { Session, Sessions } from './sessions.ts';
import type { SignIn } from './sign-in.ts';

/** What the routes of sessions stand on. */
export interface SessionRouteParts {
  readonly door: ConsoleDoor;
  readonly sessions: Sessions;
  readonly signIn: SignIn;
  /** Makes a link for a key. */
  readonly makeLink: (
    credential: string,
    by: string,
  ) => Promise<{ readonly link: string; readonly ends: number }>;
  /** Whatever rests on a session ends with it. */
  readonly ended: (session: string) => void;
  readonly record: (event: string, by: string, about: Readonly<Record<string, string>>) => Promise<unknown>;
  readonly ways: () => SignInWays;
  readonly demo: () => boolean;
  readonly longest: () => number;
  readonly now: () => number;
}

const ACTIONS = Object.keys(MANAGEMENT_ACTIONS);

/** Signing in and out, and who is signed in. */
export function sessionRoutes(parts: SessionRouteParts): readonly ManagementRoute[] {
  const { door, sessions, signIn, ended, record, ways, now } = parts;
  const signedIn = (knock: Knock, id: string, json: unknown): ManagementAnswer => ({
    json,
    headers: { 'set-cookie': setCookie(door.sessionCookie(knock), id) },
  });
  return [
    route({
      method: 'GET',
      path: '/api/session/ways',
      about: 'How one may sign in. Nobody need be signed in for this.',
      action: undefined,
      run: () => ({ json: ways() }),
    }),
    route({
      method: 'GET',
      path: '/api/session',
      about: 'Who is signed in, and what they may do.',
      action: 'console.use',
      async run({ by, may, knock }) {
        const visit = knock.headers.authorization === undefined ? await door.visit(knock) : undefined;
        const info: SessionInfo = {
          principal: by.id,
          roles: by.roles,
          may: ACTIONS.filter(may),
          csrf: visit === undefined ? '' : csrfToken(visit.id),
          ends: visit?.session.ends ?? now() + parts.longest(),
          demo: parts.demo(),
        };
        return { json: info };
      },
    }),
    route<{ link: string }>({
      method: 'POST',
      path: '/api/session/link',
      about: 'Signs in with a one-time link.',
      action: undefined,
      body: z.strictObject({ link: z.string().min(1).max(200) }),
      async run({ body, knock }) {
        // No form of another site can send this header.
        if (knock.headers['x-glacis-csrf'] === undefined)
          throw new GlacisError('request/invalid', 'x-glacis-csrf: expected any value, got none');
        return signedIn(knock, await signIn.byLink(body.link, knock), { signedIn: true });
      },
    }),
    route({
      method: 'POST',
      path: '/api/session/links',
      about: 'A one-time link that signs in as whoever asks, with what their key may do; shown this once.',
      action: 'console.use',
      event: 'console-link-made',
      async run({ by, knock }) {
        if (by.kind !== 'key')
          throw new GlacisError(
            'option/invalid',
            'link: expected somebody with a key; whoever has an identity provider signs in there',
          );
        const { link, ends } = await parts.makeLink(by.credential, by.id);
        return { json: { url: `${door.originOf(knock)}/console/#link=${link}`, ends }, status: 201 };
      },
    }),
    route<{ all?: boolean | undefined }>({
      method: 'POST',
      path: '/api/session/end',
      about: 'Signs out; with "all", in every browser.',
      action: undefined,
      body: z.strictObject({ all: z.boolean().optional() }),
      async run({ body, knock }) {
        // The same checks as every act: another site must not sign anybody out.
        const principal = await door.enter(knock).catch((thrown: unknown) => {
          if (thrown instanceof Refused) return undefined;
          throw thrown;
        });
        const visit = principal === undefined ? undefined : await door.visit(knock);
        if (visit !== undefined) {
          const { id } = visit.principal;
          await record('console-signed-out', id, { session: visit.session.name, address: knock.address });
          const ending = body.all === true ? await sessions.list(id) : [visit.session];
          for (const { name } of ending) {
            await sessions.end(name, id);
            ended(name);
          }
        }
        return {
          json: { signedOut: true },
          headers: { 'set-cookie': setCookie(door.sessionCookie(knock)) },
        };
      },
    }),
    route({
      method: 'GET',
      path: '/api/sessions',
      about: 'Who is signed in to the console; ?principal=.',
      action: 'principals.list',
      run: async ({ query }) => ({ json: (await sessions.list(query.principal)).map(shown) }),
    }),
    route({
      method: 'POST',
      path: '/api/sessions/:name/end',
      about: 'Signs somebody else out.',
      action: 'principals.shut-out',
      event: 'console-session-ended',
      async run({ params, by }) {
        if (!(await sessions.end(params.name!, by.id)))
          return { json: { error: 'no such session' }, status: 404 };
        ended(params.name!);
        return { json: { ended: params.name } };
      },
    }),
  ];
}

/** What others see of a session: neither its id nor the claims behind it. */
function shown({
  name,
  principal,
  tenant,
  credential,
  address,
  created,
  seen,
  ends,
  claimed,
}: Session): object {
  return {
    name,
    principal,
    tenant,
    credential,
    address,
    created,
    seen,
    ends,
    way: claimed === undefined ? 'link' : claimed.issuer,
  };
}
