import { GlacisError } from '../../../core/error.ts';
import { type Fields, isObject } from '../json-fields.ts';

/** An OpenID Connect token, as far as signing needs to know it. Its signature is for the authority to check. */
export interface IdentityToken {
  /** The token itself: whoever has it can sign. */
  readonly text: string;
  /** The identity that the authority will put into the certificate, or a part of it: an address or a subject. */
  readonly subject: string;
  readonly issuer: string;
}

/** What the authority's instances expect in tokens as `aud`, and call the program that logs in. */
export const SIGSTORE_CLIENT = 'sigstore';

/** Seconds that clocks may differ. */
const LEEWAY = 5;

/**
 * Reads an identity token and refuses what the authority would refuse, or what is not meant for it: a token for somebody else must not be sent
 * there, because it is a key to that other service. Errors: `option/invalid`, without the token.
 */
export function identityTokenFrom(raw: string, audience: string, now: Date): IdentityToken {
  const text = raw.trim();
  const claims = claimsOf(text);
  if (claims === undefined) throw refuse('one in three parts as OpenID Connect has it', 'something else');
  const { iss, sub, exp, nbf, aud, email, email_verified: verified } = claims;
  if (typeof iss !== 'string' || typeof sub !== 'string' || typeof exp !== 'number')
    throw refuse('one with issuer, subject and end', 'one without');
  const audiences = Array.isArray(aud) ? aud : [aud];
  if (!audiences.includes(audience))
    throw refuse(
      `one for the audience '${audience}' (--client-id names another)`,
      `one for '${audiences.map(String).join("', '").slice(0, 200)}'`,
    );
  const seconds = now.getTime() / 1000;
  if (exp + LEEWAY <= seconds) throw refuse('one that is valid', `one that ended at ${timeOf(exp)}`);
  if (typeof nbf === 'number' && nbf - LEEWAY > seconds)
    throw refuse('one that is valid', `one that begins at ${timeOf(nbf)}`);
  // The authority takes the address for the identity where the issuer has verified it.
  const subject = typeof email === 'string' && verified === true ? email : sub;
  return { text, subject, issuer: iss };
}

function claimsOf(token: string): Fields | undefined {
  const parts = token.split('.');
  if (parts.length !== 3 || !parts.every((part) => /^[\w-]+$/.test(part))) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(parts[1]!, 'base64url').toString('utf8'));
    return isObject(claims) ? claims : undefined;
  } catch {
    return undefined;
  }
}

function timeOf(seconds: number): string {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? 'no time at all' : time.toISOString();
}

function refuse(expected: string, got: string): GlacisError {
  return new GlacisError('option/invalid', `the identity token: expected ${expected}, got ${got}`);
}
