import { KEY_PREFIX } from '../../core/key-text.ts';

/** What an `Authorization` header presents, not verified. */
export type Presented =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'key'; readonly text: string }
  | { readonly kind: 'token'; readonly text: string }
  | { readonly kind: 'unusable'; readonly because: string };

/** The credentials of RFC 6750: `Bearer` and characters of base 64. */
const BEARER = /^bearer {1,4}([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * Reads an `Authorization` header of at most `mostBytes` characters. What begins like a key is a key and never tried as anything else; a header that is there
 * and cannot be used is an error, not an absence: nobody becomes somebody else by a typing error.
 */
export function presentedBy(authorization: string | undefined, mostBytes: number): Presented {
  if (authorization === undefined) return { kind: 'nothing' };
  if (authorization.length > mostBytes)
    return { kind: 'unusable', because: `credentials of ${authorization.length} characters` };
  const text = BEARER.exec(authorization)?.[1];
  if (text === undefined) return { kind: 'unusable', because: 'an Authorization header that is not Bearer' };
  if (text.startsWith(KEY_PREFIX)) return { kind: 'key', text };
  return text.split('.', 4).length === 3
    ? { kind: 'token', text }
    : { kind: 'unusable', because: 'a bearer that is neither a key nor a token' };
}
