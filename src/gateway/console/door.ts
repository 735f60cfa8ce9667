import { GlacisError } from '../../core/error.ts';
import type { Identity } from '../identity/open-identity.ts';
import { type ClaimMapping, claimed } from '../identity/tokens/claims.ts';
import { isThis } from '../manage/open-management.ts';
import type { Door, Knock } from '../manage/route.ts';
import type { Principal } from '../principal.ts';
import { Refused } from '../refusal.ts';
import { areSame, type CookieKind, cookieIn, csrfToken, sessionCookie, signInCookie } from './cookies.ts';
import type { Session, Sessions, SignedIn } from './sessions.ts';

/** What a door stands on. */
export interface DoorSurroundings {
  readonly sessions: Sessions;
  readonly identity: Pick<Identity, 'holder' | 'isShutOut'>;
  /** How claims of an issuer name a principal now; undefined for one that is no longer trusted. */
  readonly mappingOf: (issuer: string) => ClaimMapping | undefined;
  /** The address that people open, where it is another one than ours. */
  readonly address: string | undefined;
}

/** A session and whose it is. */
export interface Visit {
  readonly id: string;
  readonly session: Session;
  readonly principal: Principal;
}

/** The door of the console: who comes with the cookie of a session is who signed in, as long as that still holds. */
export interface ConsoleDoor extends Door {
  enter(knock: Knock): Promise<Principal | undefined>;
  /** The session that a request shows, with no look at what the request wants. Errors: `Refused`. */
  visit(knock: Knock): Promise<Visit | undefined>;
  /** Who somebody is now who signed in before. Errors: `Refused` `unauthenticated` where that holds no more. */
  principalOf(signedIn: SignedIn): Principal;
  sessionCookie(knock: Knock): CookieKind;
  wayCookie(knock: Knock): CookieKind;
  /** `https://glacis.example.org`: this server as the browser has it. */
  originOf(knock: Knock): string;
}

/** Another site's page, or none that says where it is from. */
const FOREIGN = 'origin: expected a request of this console’s own pages';

/** Opens it. Every call looks at the session, the key or claims behind it, and the list of who is shut out: nothing is remembered in between. */
export function openDoor({ sessions, identity, mappingOf, address }: DoorSurroundings): ConsoleDoor {
  const own = address === undefined ? undefined : new URL(address);
  const isSecure = (knock: Knock): boolean =>
    knock.isSecure || (own?.protocol === 'https:' && knock.headers.host?.toLowerCase() === own.host);
  const kindOf = (make: typeof sessionCookie, knock: Knock): CookieKind =>
    make(isSecure(knock), /:(\d+)$/.exec(knock.headers.host ?? '')?.[1] ?? '80');
  const isOwnOrigin = (origin: string, knock: Knock): boolean =>
    origin === own?.origin || isThis(origin, knock);

  const principalOf = (signedIn: SignedIn): Principal => {
    const ended = (because: string) => new Refused('unauthenticated', `session: ${because}`);
    if (signedIn.claimed === undefined) {
      const principal = identity.holder(signedIn.credential);
      if (principal.id !== signedIn.principal) throw ended('its key is somebody else’s');
      return principal;
    }
    const mapping = mappingOf(signedIn.claimed.issuer);
    if (mapping === undefined) throw ended('its issuer is not trusted any more');
    const found = claimed(signedIn.claimed.claims, mapping);
    if ('missing' in found || found.id !== signedIn.principal) throw ended('its claims name somebody else');
    if (identity.isShutOut(found.id)) throw ended('shut out');
    const { id, tenant, roles } = found;
    return { id, tenant, credential: signedIn.credential, kind: 'token', roles };
  };
  const visit = async (knock: Knock): Promise<Visit | undefined> => {
    const id = cookieIn(knock, kindOf(sessionCookie, knock));
    if (id === undefined) return undefined;
    const session = await sessions.find(id);
    if (session === undefined) throw new Refused('unauthenticated', 'session: unknown, or ended');
    try {
      return { id, session, principal: principalOf(session) };
    } catch (thrown) {
      if (thrown instanceof Refused && thrown.refusal === 'unauthenticated')
        await sessions.end(session.name, 'glacis');
      throw thrown;
    }
  };
  return {
    names: own === undefined ? [] : [own.hostname.replace(/^\[|\]$/g, '')],
    isOwnOrigin,
    visit,
    principalOf,
    sessionCookie: (knock) => kindOf(sessionCookie, knock),
    wayCookie: (knock) => kindOf(signInCookie, knock),
    originOf: (knock) =>
      own !== undefined && knock.headers.host?.toLowerCase() === own.host
        ? own.origin
        : `${knock.isSecure ? 'https' : 'http'}://${knock.headers.host?.toLowerCase() ?? 'localhost'}`,
    async enter(knock) {
      const id = cookieIn(knock, kindOf(sessionCookie, knock));
      if (id === undefined) return undefined;
      const { origin, 'sec-fetch-site': site, 'x-glacis-csrf': token } = knock.headers;
      const isOwn = site === 'same-origin' || (origin !== undefined && isOwnOrigin(origin, knock));
      if (knock.method === 'GET' || knock.method === 'HEAD') {
        // Nothing is changed by these; but another site learns nothing by how they end, either.
        if (site !== undefined && site !== 'same-origin' && site !== 'none')
          throw new GlacisError('request/invalid', FOREIGN);
      } else {
        if (!isOwn) throw new GlacisError('request/invalid', FOREIGN);
        if (typeof token !== 'string' || !areSame(token, csrfToken(id)))
          throw new GlacisError(
            'request/invalid',
            'x-glacis-csrf: expected the token of this session (GET /api/session)',
          );
      }
      const found = await visit(knock);
      // What a page asks by itself while nobody is there keeps no session alive.
      if (found !== undefined && knock.headers['x-glacis-idle'] === undefined)
        await sessions.touch(found.session);
      return found?.principal;
    },
  };
}
