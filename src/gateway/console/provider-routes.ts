import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import type { ClaimMapping } from '../identity/tokens/claims.ts';
import { claimed } from '../identity/tokens/claims.ts';
import { type Knock, type ManagementAnswer, type ManagementRoute, route } from '../manage/route.ts';
import { Refused } from '../refusal.ts';
import { cookieIn, setCookie } from './cookies.ts';
import type { ConsoleDoor } from './door.ts';
import type { Provider } from './provider.ts';
import type { Seal } from './sealed.ts';
import type { SignIn } from './sign-in.ts';

/** What signing in with a provider stands on. */
export interface ProviderRouteParts {
  readonly door: ConsoleDoor;
  readonly signIn: SignIn;
  readonly providers: () => readonly Provider[];
  readonly seal: Seal;
  readonly now: () => number;
  readonly failed: (where: string, thrown: unknown) => void;
}

/** Seconds for which somebody may be away at a provider. */
const AWAY = 600;
/** A page of the console, and nothing that could be another site. */
const PAGE = /^\/console(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*\/?$/;
const MOST_CLAIMS = 16_384;

/** Why somebody is back at the sign-in page: it says so in its own words. */
type Problem = 'expired' | 'denied' | 'failed' | 'no-role' | 'throttled';

const errandSchema = z.object({
  provider: z.string(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  to: z.string().regex(PAGE),
  ends: z.number(),
});

/**
 * The way to an OpenID Connect provider and back: authorization code with PKCE, state and nonce (RFC 9700, section 2.1). What must be found again travels in a sealed cookie
 * of the browser that set out, so nobody can be signed in with somebody else's answer, and nothing is kept here for those who never return.
 */
export function providerRoutes({
  door,
  signIn,
  providers,
  seal,
  now,
  failed,
}: ProviderRouteParts): readonly ManagementRoute[] {
  const named = (name: string | undefined): Provider => {
    const found = providers().find((each) => each.name === name);
    if (found === undefined) throw new Refused('unknown', 'no such provider');
    return found;
  };
  const backFrom = (knock: Knock, name: string): string =>
    `${door.originOf(knock)}/api/session/oidc/${encodeURIComponent(name)}/callback`;
  const problem = (knock: Knock, what: Problem): ManagementAnswer =>
    to(`/console/#refused=${what}`, [setCookie(door.wayCookie(knock))]);
  return [
    route({
      method: 'GET',
      path: '/api/session/oidc/:name',
      about: 'The way to a provider to sign in with; ?to= is the page to come back to.',
      action: undefined,
      async run({ params, query, knock }) {
        const provider = named(params.name);
        try {
          signIn.mayTry(knock);
          const { url, errand } = await provider.start(backFrom(knock, provider.name));
          const page = PAGE.test(query.to ?? '') ? query.to! : '/console/';
          const sealed = seal.seal({
            ...errand,
            provider: provider.name,
            to: page,
            ends: now() + AWAY * 1000,
          });
          return to(url, [setCookie(door.wayCookie(knock), sealed, AWAY)]);
        } catch (thrown) {
          if (thrown instanceof Refused) return problem(knock, 'throttled');
          failed(`sign-in with ${provider.name}`, ownError(thrown));
          return problem(knock, 'failed');
        }
      },
    }),
    route({
      method: 'GET',
      path: '/api/session/oidc/:name/callback',
      about: 'The way back from a provider.',
      action: undefined,
      async run({ params, knock }) {
        const provider = named(params.name);
        const parsed = errandSchema.safeParse(seal.open(cookieIn(knock, door.wayCookie(knock)) ?? ''));
        if (!parsed.success || parsed.data.provider !== provider.name || now() > parsed.data.ends)
          return problem(knock, 'expired');
        try {
          signIn.mayTry(knock);
        } catch {
          return problem(knock, 'throttled');
        }
        const came = new URL(backFrom(knock, provider.name));
        came.search = new URL(knock.path, came).search;
        let claims: Readonly<Record<string, unknown>>;
        try {
          claims = kept(await provider.finish(came, parsed.data), provider.mapping);
        } catch (thrown) {
          const isDenied = (thrown as { readonly error?: unknown }).error === 'access_denied';
          await signIn.refused(`${provider.name}: ${codeOf(thrown)}`, knock);
          failed(`sign-in with ${provider.name}`, ownError(thrown));
          return problem(knock, isDenied ? 'denied' : 'failed');
        }
        const found = claimed(claims, provider.mapping);
        if ('missing' in found) {
          await signIn.refused(`${provider.name}: no claim ${found.missing}`, knock);
          return problem(knock, 'failed');
        }
        try {
          const who = {
            principal: found.id,
            tenant: found.tenant,
            credential: `${provider.name} ${found.subject}`,
            claimed: { issuer: provider.name, claims },
          };
          const id = await signIn.as(who, provider.name, knock);
          return to(parsed.data.to, [
            setCookie(door.sessionCookie(knock), id),
            setCookie(door.wayCookie(knock)),
          ]);
        } catch (thrown) {
          if (thrown instanceof Refused && thrown.refusal === 'unauthenticated')
            return problem(knock, 'no-role');
          throw thrown;
        }
      },
    }),
  ];
}

function to(location: string, cookies: string[]): ManagementAnswer {
  return { bytes: '', type: 'text/plain', status: 303, headers: { location, 'set-cookie': cookies } };
}

/** The claims that name a principal and its roles, and no others: they are kept as long as the session. */
function kept(
  claims: Readonly<Record<string, unknown>>,
  { principal, tenant, roles }: ClaimMapping,
): Readonly<Record<string, unknown>> {
  const paths = [principal, 'is' in tenant ? undefined : tenant.claim, roles?.claim].filter(
    (path) => path !== undefined,
  );
  const found: Record<string, unknown> = {};
  for (const path of paths) {
    const name = Object.hasOwn(claims, path) ? path : path.split('.')[0]!;
    if (Object.hasOwn(claims, name) && name !== '__proto__') found[name] = claims[name];
  }
  if (JSON.stringify(found).length > MOST_CLAIMS)
    throw new Refused('unauthenticated', 'claims longer than are kept');
  return found;
}

/** Our own error below the library's, which says less. */
function ownError(thrown: unknown): unknown {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return cause instanceof GlacisError ? cause : thrown;
}

/** What went wrong, in the words of the library or the protocol: never what a token holds. */
function codeOf(thrown: unknown): string {
  const { error, code, name } = thrown as {
    readonly error?: unknown;
    readonly code?: unknown;
    readonly name?: unknown;
  };
  const text = [error, code, name].find((each) => typeof each === 'string') as string | undefined;
  return (text ?? 'failed').replace(/[^A-Za-z0-9_./-]/g, '').slice(0, 60);
}
