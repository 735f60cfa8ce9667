import { countFailures, type FailureLimits } from '../identity/failures.ts';
import type { Identity } from '../identity/open-identity.ts';
import type { Knock } from '../manage/route.ts';
import type { Principal } from '../principal.ts';
import { Refused } from '../refusal.ts';
import { cookieIn } from './cookies.ts';
import type { ConsoleDoor } from './door.ts';
import type { Sessions, SignedIn } from './sessions.ts';

/** What signing in stands on. */
export interface SignInSurroundings {
  readonly door: ConsoleDoor;
  readonly sessions: Sessions;
  readonly identity: Pick<Identity, 'holder'>;
  readonly takeLink: (
    link: string,
  ) => Promise<{ readonly credential: string; readonly by: string } | undefined>;
  readonly may: (principal: Principal, action: string, address: string) => boolean;
  readonly record: (event: string, by: string, about: Readonly<Record<string, string>>) => Promise<unknown>;
  readonly ended: (session: string) => void;
  readonly limits: FailureLimits;
  readonly clock: () => number;
}

/** Begins sessions. */
export interface SignIn {
  /** The id of a fresh session of whoever the link is for. Errors: `Refused` `unauthenticated`, `throttled`; `output/unwritable` where it cannot be written down. */
  byLink(link: string, knock: Knock): Promise<string>;
  /** The same for somebody whom a provider vouched for. */
  as(who: SignedIn, way: string, knock: Knock): Promise<string>;
  /** Errors: `Refused` `throttled` where too many attempts of this address have failed. */
  mayTry(knock: Knock): void;
  /** Counts a failure and writes it down. */
  refused(because: string, knock: Knock): Promise<void>;
}

/** Refused attempts that are written down: whoever tries without end does not fill the log. */
const WRITTEN: FailureLimits = { burst: 100, perMinute: 30 };

/** Opens it. Whoever signs in gets a new id whatever the browser showed before (no fixation), and the session that it showed ends. */
export function openSignIn(given: SignInSurroundings): SignIn {
  const { door, sessions, identity, may, record, clock } = given;
  const failures = countFailures(given.limits, clock);
  const written = countFailures(WRITTEN, clock);
  const mayTry = ({ address }: Knock): void => {
    const wait = failures.wait(address);
    if (wait !== undefined)
      throw new Refused('throttled', 'too many failed attempts from this address', { retryAfter: wait });
  };
  const refused = async (because: string, { address }: Knock): Promise<void> => {
    failures.add(address);
    if (written.wait('all') !== undefined) return;
    written.add('all');
    await record('console-refused', 'nobody', { because, address });
  };
  /** Whoever is refused by what they stand on is written down, too. */
  const heard = async (who: () => Principal, knock: Knock): Promise<Principal> => {
    try {
      return who();
    } catch (thrown) {
      if (thrown instanceof Refused) await refused(thrown.because, knock);
      throw thrown;
    }
  };
  const as = async (who: SignedIn, way: string, knock: Knock): Promise<string> => {
    const principal = await heard(() => door.principalOf(who), knock);
    if (!may(principal, 'console.use', knock.address)) {
      await refused(`${principal.id} may not use the console`, knock);
      throw new Refused('unauthenticated', `${principal.id} may not use the console`);
    }
    await record('console-signed-in', principal.id, {
      way,
      credential: who.credential,
      address: knock.address,
    });
    const before = cookieIn(knock, door.sessionCookie(knock));
    const { id } = await sessions.begin(who, knock.address);
    const replaced = before === undefined ? undefined : await sessions.find(before);
    if (replaced !== undefined) {
      await sessions.end(replaced.name, principal.id);
      given.ended(replaced.name);
    }
    return id;
  };
  return {
    mayTry,
    refused,
    as,
    async byLink(link, knock) {
      mayTry(knock);
      const taken = await given.takeLink(link);
      if (taken === undefined) {
        await refused('a link that is unknown, used or too old', knock);
        throw new Refused('unauthenticated', 'a link that is unknown, used or too old');
      }
      const { id, tenant, credential } = await heard(() => identity.holder(taken.credential), knock);
      return as(
        { principal: id, tenant, credential },
        taken.by === id ? 'link' : `link of ${taken.by}`,
        knock,
      );
    },
  };
}
