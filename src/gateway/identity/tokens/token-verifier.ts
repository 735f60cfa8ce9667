import { hash } from 'node:crypto';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { Principal } from '../../principal.ts';
import { Refused } from '../../refusal.ts';
import { recentMap } from '../recent-map.ts';
import { type ClaimMapping, claimed } from './claims.ts';
import type { TokenAlgorithm } from './key-set.ts';
import type { KeySource, LiveKey } from './key-source.ts';

/** An issuer whose tokens are accepted. */
export interface Issuer {
  /** Exactly as tokens have it. */
  readonly issuer: string;
  /** A token must be meant for one of these. */
  readonly audience: readonly string[];
  readonly algorithms: readonly TokenAlgorithm[];
  /** What the header must say that the token is, e.g. `at+jwt` (RFC 9068). */
  readonly type?: string | undefined;
  /** Seconds by which clocks may differ. */
  readonly leeway: number;
  /** Longest that a token may hold, in seconds: nobody can take one back. */
  readonly longest: number;
  readonly claims: ClaimMapping;
  readonly keys: KeySource;
}

/** How tokens are verified. */
export interface TokenLimits {
  /** Longest token, in characters. */
  readonly mostBytes: number;
  /** Verified tokens that are remembered. */
  readonly remember: number;
  /** Longest that one is, in milliseconds. */
  readonly rememberFor: number;
}

/** Verifies tokens. */
export interface TokenVerifier {
  /** The principal of a token that was verified before and still holds: a hash and a look-up. */
  known(token: string, certificate: string | undefined): Principal | undefined;
  /** Whether this very token is being verified now: one more who waits for that costs nothing. */
  isUnderWay(token: string): boolean;
  /**
   * Verifies a token. Errors: `Refused` `unauthenticated` (`because` says which check failed), `unavailable` where the issuer's keys cannot be had.
   *
   * @param certificate `x5t#S256` of the caller's certificate, for tokens that are bound to one (RFC 8705)
   */
  verify(token: string, certificate: string | undefined): Promise<Principal>;
}

interface Verified {
  readonly principal: Principal;
  readonly issuer: Issuer;
  readonly key: LiveKey;
  /** Seconds since 1970. */
  readonly from: number;
  readonly until: number;
  readonly certificate: string | undefined;
}

interface Remembered extends Verified {
  /** Milliseconds of the clock that only goes forward. */
  readonly at: number;
}

const PART = /^[A-Za-z0-9_-]+$/;
/** Headers that would let a token say where its key is, or bring it along. */
const KEY_HEADERS = ['jku', 'jwk', 'x5u', 'x5c'] as const;

/** Verifies tokens of these issuers, each of which is known by the configuration alone: nothing in a token says where to look for anything. */
export function openTokenVerifier(
  issuers: readonly Issuer[],
  { mostBytes, remember, rememberFor }: TokenLimits,
  { now, clock }: { readonly now: () => number; readonly clock: () => number },
): TokenVerifier {
  const byName = new Map(issuers.map((issuer) => [issuer.issuer, issuer]));
  const verified = recentMap<Remembered>(remember);
  const pending = new Map<string, Promise<Remembered>>();

  const check = async (token: string): Promise<Verified> => {
    if (token.length > mostBytes) throw refused(`${token.length} characters`);
    const { header, payload } = peek(token);
    const issuer = typeof payload.iss === 'string' ? byName.get(payload.iss) : undefined;
    if (issuer === undefined) throw refused('an issuer that is not known');
    for (const name of KEY_HEADERS)
      if (header[name] !== undefined) throw refused(`a header ${name}, which brings its own key`);
    const { kid, alg } = header;
    if (!issuer.algorithms.includes(alg as TokenAlgorithm)) throw refused('an algorithm that is not pinned');
    if (kid !== undefined && typeof kid !== 'string') throw refused('a kid that is no text');
    const key = await issuer.keys.find(kid, alg as TokenAlgorithm);
    if (key === undefined) throw refused('a key that the issuer does not list');
    const claims = await signed(token, key, issuer, now());
    return { ...principalBy(claims, issuer, now()), issuer, key };
  };
  const holds = (found: Remembered): boolean => {
    const seconds = now() / 1000;
    const age = clock() - found.at;
    return (
      age < rememberFor &&
      seconds < found.until + found.issuer.leeway &&
      seconds >= found.from - found.issuer.leeway &&
      found.key.isLive &&
      found.issuer.keys.isUsable()
    );
  };
  return {
    known(token, certificate) {
      const name = nameOf(token);
      const found = verified.get(name);
      if (found === undefined) return undefined;
      if (!holds(found)) {
        verified.delete(name);
        return undefined;
      }
      return isHolder(found, certificate) ? found.principal : undefined;
    },
    isUnderWay: (token) => pending.has(nameOf(token)),
    async verify(token, certificate) {
      const name = nameOf(token);
      let running = pending.get(name);
      if (running === undefined) {
        running = check(token).then((found) => ({ ...found, at: clock() }));
        pending.set(name, running);
        const done = () => pending.delete(name);
        running.then(done, done);
      }
      const found = await running;
      verified.set(name, found);
      if (!isHolder(found, certificate)) throw refused('a token that is bound to another certificate');
      return found.principal;
    },
  };
}

/** The token itself is not kept. */
function nameOf(token: string): string {
  return hash('sha256', token, 'base64');
}

/** Checks signature and claims. */
async function signed(token: string, key: LiveKey, issuer: Issuer, at: number): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, key.key, {
      issuer: issuer.issuer,
      audience: [...issuer.audience],
      algorithms: [...issuer.algorithms],
      clockTolerance: issuer.leeway,
      requiredClaims: ['exp'],
      currentDate: new Date(at),
      ...(issuer.type !== undefined && { typ: issuer.type }),
    });
    return payload;
  } catch (thrown) {
    if (!(thrown instanceof errors.JOSEError)) throw thrown;
    const claim =
      thrown instanceof errors.JWTClaimValidationFailed || thrown instanceof errors.JWTExpired
        ? ` (${thrown.claim})`
        : '';
    throw new Refused('unauthenticated', `token: ${thrown.code}${claim}`, { cause: thrown });
  }
}

function principalBy(
  claims: JWTPayload,
  { claims: mapping, leeway, longest, issuer }: Issuer,
  at: number,
): Pick<Verified, 'principal' | 'from' | 'until' | 'certificate'> {
  const { exp, nbf, iat } = claims;
  const seconds = at / 1000;
  if (exp === undefined || exp - seconds > longest + leeway) throw refused('a life longer than it may be');
  if (iat !== undefined && iat > seconds + leeway) throw refused('a time of issue in the future');
  const found = claimed(claims, mapping);
  if ('missing' in found) throw refused(`a claim ${found.missing} that names nobody`);
  const { id, tenant, roles, subject } = found;
  return {
    principal: Object.freeze({
      id,
      tenant,
      credential: `${issuer} ${subject}`,
      kind: 'token',
      roles: Object.freeze([...roles]),
      ...(mapping.scope && { scope: mapping.scope }),
    }),
    from: nbf ?? Number.NEGATIVE_INFINITY,
    until: exp,
    certificate: boundTo(claims),
  };
}

/** The certificate that a token is bound to (RFC 8705, section 3.1). A binding of another kind cannot be checked, so it is refused. */
function boundTo({ cnf }: JWTPayload): string | undefined {
  if (cnf === undefined) return undefined;
  const print =
    typeof cnf === 'object' && cnf !== null
      ? (cnf as Readonly<Record<string, unknown>>)['x5t#S256']
      : undefined;
  if (typeof print !== 'string' || Object.keys(cnf as object).length !== 1)
    throw refused('a token that is bound to something that is not a certificate');
  return print;
}

function isHolder({ certificate }: Verified, presented: string | undefined): boolean {
  return certificate === undefined || certificate === presented;
}

/** Header and claims as they are written, of which nothing has been verified. */
function peek(token: string): {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
} {
  const parts = token.split('.', 4);
  const [head = '', body = ''] = parts;
  if (parts.length !== 3 || !parts.every((part) => PART.test(part))) throw refused('not the form of one');
  return { header: objectIn(head), payload: objectIn(body) };
}

function objectIn(part: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Not JSON: said below.
  }
  throw refused('not the form of one');
}

function refused(because: string): Refused {
  return new Refused('unauthenticated', `token: ${because}`);
}
