import { fileURLToPath } from 'node:url';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import type { Store } from '../../store/index.ts';
import type { Event } from '../decision.ts';
import type { IdentityConfig } from '../identity/config-schema.ts';
import type { Identity } from '../identity/open-identity.ts';
import { type Door, type ManagementCall, type ManagementRoute, route } from '../manage/route.ts';
import type { Principal } from '../principal.ts';
import type { LiveEvent } from './api.ts';
import type { ConsoleConfig } from './config-schema.ts';
import { openDoor } from './door.ts';
import { makeLink, takeLink } from './links.ts';
import { type Follower, openLive, type Sight, sightOf } from './live.ts';
import { openPages } from './pages.ts';
import { openProvider, type Provider, type ProviderSurroundings } from './provider.ts';
import { providerRoutes } from './provider-routes.ts';
import { openSeal } from './sealed.ts';
import { sessionRoutes } from './session-routes.ts';
import { openSessions, type SignedIn } from './sessions.ts';
import { openSignIn } from './sign-in.ts';

/** What the console stands on. */
export interface ConsoleSurroundings {
  readonly store: Store;
  /** The gateway's secret: what travels in cookies on the way to a provider is sealed under it. */
  readonly secret: Uint8Array;
  readonly identity: Pick<Identity, 'holder' | 'isShutOut'>;
  /** `serve.identity.issuers`. */
  readonly issuers: IdentityConfig['issuers'];
  /** Whether somebody may do this on the management side. */
  readonly may: (principal: Principal, action: string, address: string) => boolean;
  readonly record: (event: Event) => Promise<unknown>;
  readonly now: () => number;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock: () => number;
  readonly failed: (where: string, thrown: unknown) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly placeOf: (path: string) => string;
  /** The built pages; those of this package without. */
  readonly folder?: string | undefined;
  /** Resolves the names of providers; the system's resolver without. */
  readonly resolve?: ProviderSurroundings['resolve'];
}

/** The server's side of the console. */
export interface Console {
  readonly routes: readonly ManagementRoute[];
  /** For the management side: who comes with a session. */
  readonly door: Door;
  /** Shows an event to all who follow and may see it. Cheap: nothing where nobody follows. */
  publish(event: LiveEvent): void;
  /** Whether anybody would see such an event. */
  wants(kind: LiveEvent['kind']): boolean;
  /** Reads changed providers and limits; the function that it gives puts them in force. Errors: `option/invalid`. */
  prepare(config: ConsoleConfig, issuers: IdentityConfig['issuers']): Promise<() => void>;
  close(): void;
}

interface Following extends Follower, SignedIn {
  readonly by: Principal;
  /** When a stream ends that rests on no session and no key: whether a token or a certificate still holds is seen only when it is shown again. */
  readonly until: number | undefined;
}

/** Milliseconds that such a stream lasts. */
const WITHOUT_SESSION = 600_000;

const BUILT = fileURLToPath(new URL('../../../console/dist', import.meta.url));

/** Opens it: pages, sessions, signing in, and what happens live. Errors: `option/invalid` for a provider whose secret is not there. */
export async function openConsole(config: ConsoleConfig, given: ConsoleSurroundings): Promise<Console> {
  const { store, identity, may, now, clock, failed } = given;
  let current = { config, providers: await providersOf(config, given.issuers, given) };
  const record = (event: string, by: string, about: Readonly<Record<string, string>>) =>
    given.record({ kind: 'event', at: now(), event, by, about });
  const sessions = openSessions(
    store,
    () => ({ idle: current.config.idle, longest: current.config.longest, most: current.config.mostSessions }),
    now,
  );
  const door = openDoor({
    sessions,
    identity,
    mappingOf: (issuer) => current.providers.find(({ name }) => name === issuer)?.mapping,
    address: config.address,
  });
  /** What these may see now: their sessions are asked about at once, equal principals once. */
  const standing = async (followers: readonly Following[]): Promise<readonly (Sight | undefined)[]> => {
    const holding = await sessions.holding(followers.flatMap(({ session }) => session ?? []));
    const known = new Map<string, Sight | undefined>();
    return followers.map((follower) => {
      const { session, address, by, until } = follower;
      if (session !== undefined && !holding.has(session)) return undefined;
      if (until !== undefined && now() >= until) return undefined;
      const key = JSON.stringify([by.id, by.credential, by.roles, address, session === undefined]);
      if (!known.has(key)) known.set(key, sightNow(follower));
      return known.get(key);
    });
  };
  const sightNow = (follower: Following): Sight | undefined => {
    try {
      const principal = follower.until === undefined ? door.principalOf(follower) : follower.by;
      if (!may(principal, 'console.use', follower.address) || identity.isShutOut(principal.id))
        return undefined;
      return sightOf((action) => may(principal, action, follower.address));
    } catch {
      return undefined;
    }
  };
  const live = openLive<Following>({
    most: () => current.config.mostStreams,
    mostEach: () => current.config.mostStreamsEach,
    standing,
    failed,
  });
  const signIn = openSignIn({
    ...{ door, sessions, identity, may, record, clock },
    takeLink: (link) => takeLink(store, link, now()),
    ended: live.end,
    limits: config.attempts,
  });
  const pages = openPages(given.folder ?? BUILT);
  const events = async ({ by, may: mayNow, knock }: ManagementCall<unknown>) => {
    const visit = knock.headers.authorization === undefined ? await door.visit(knock) : undefined;
    const follower: Following = {
      session: visit?.session.name,
      principal: by.id,
      tenant: by.tenant,
      credential: by.credential,
      claimed: visit?.session.claimed,
      address: knock.address,
      by,
      until: visit === undefined && by.kind !== 'key' ? now() + WITHOUT_SESSION : undefined,
    };
    const stream = () => live.follow(follower, sightOf(mayNow));
    return { stream, type: 'text/event-stream', headers: { 'x-accel-buffering': 'no' } };
  };
  const routes: readonly ManagementRoute[] = [
    ...sessionRoutes({
      ...{ door, sessions, signIn, record, now },
      makeLink: (credential, by) =>
        makeLink(store, { credential, by, now: now(), lifetime: current.config.linkLifetime }),
      ended: live.end,
      ways: () => ({
        oidc: current.providers.map(({ name }) => ({
          name,
          start: `/api/session/oidc/${encodeURIComponent(name)}`,
        })),
        demo: current.config.demo,
      }),
      demo: () => current.config.demo,
      longest: () => current.config.longest,
    }),
    ...providerRoutes({
      door,
      signIn,
      providers: () => current.providers,
      seal: openSeal(given.secret, 'sign-in'),
      now,
      failed,
    }),
    route({
      method: 'GET',
      path: '/api/events',
      about: 'What happens, as server-sent events; each kind for who may read it.',
      action: 'console.use',
      run: events,
    }),
    ...['/', '/console'].map((path) =>
      route({
        method: 'GET',
        path,
        about: 'The way to the console.',
        action: undefined,
        run: () => ({ bytes: '', type: 'text/plain', status: 303, headers: { location: '/console/' } }),
      }),
    ),
    route({
      method: 'GET',
      path: '/console/*',
      about: 'The pages of the console. Nobody need be signed in to load them: they hold nothing.',
      action: undefined,
      run: ({ params, knock }) => {
        const accepted = knock.headers['accept-encoding'];
        return pages.at(params['*'] ?? '', Array.isArray(accepted) ? accepted.join(',') : accepted);
      },
    }),
  ];
  return {
    door: config.enabled ? door : { ...door, enter: async () => undefined },
    publish: live.publish,
    wants: live.wants,
    routes: config.enabled ? routes : [],
    async prepare(next, issuers) {
      const fixed = ({ enabled, address, attempts }: ConsoleConfig) =>
        JSON.stringify([enabled, address, attempts]);
      if (fixed(next) !== fixed(config))
        throw new GlacisError(
          'option/invalid',
          'serve.console: expected enabled, address and attempts as they were; restart to change them',
        );
      const providers = await providersOf(next, issuers, given);
      return () => {
        current = { config: next, providers };
      };
    },
    close: live.close,
  };
}

async function providersOf(
  { oidc }: ConsoleConfig,
  issuers: IdentityConfig['issuers'],
  given: ConsoleSurroundings,
): Promise<readonly Provider[]> {
  try {
    return await Promise.all(oidc.map((each) => openProvider(each, { ...given, issuers })));
  } catch (thrown) {
    throw asGlacisError(thrown, 'option/invalid', 'serve.console.oidc');
  }
}
