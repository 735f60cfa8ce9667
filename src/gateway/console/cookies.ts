import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Knock } from '../manage/route.ts';

/** Bytes of an id of a session, and of the secret of a link: nobody guesses 256 bits. */
export const SECRET_BYTES = 32;

/** How a cookie travels. `__Host-` binds it to this very host over TLS (RFC 6265bis, section 4.1.3). */
export interface CookieKind {
  readonly name: string;
  readonly attributes: string;
}

/**
 * The cookie of a session: out of the reach of scripts, never sent along by another site's page, over TLS only. On this machine without TLS it is a plain one, because browsers
 * refuse `Secure` there; its name has the port, because cookies of a host are shared by all its ports.
 */
export function sessionCookie(isSecure: boolean, port: string): CookieKind {
  return isSecure
    ? { name: '__Host-glacis', attributes: 'Path=/; Secure; HttpOnly; SameSite=Strict' }
    : { name: `glacis-${port}`, attributes: 'Path=/; HttpOnly; SameSite=Strict' };
}

/** The cookie that finds its way back from a provider: `Lax`, because the provider's page sends the browser here. */
export function signInCookie(isSecure: boolean, port: string): CookieKind {
  return isSecure
    ? { name: '__Host-glacis-way', attributes: 'Path=/; Secure; HttpOnly; SameSite=Lax' }
    : { name: `glacis-way-${port}`, attributes: 'Path=/; HttpOnly; SameSite=Lax' };
}

/** A `Set-Cookie` header; without a value the cookie goes. The value must be base64url. */
export function setCookie({ name, attributes }: CookieKind, value?: string, seconds?: number): string {
  if (value === undefined) return `${name}=; ${attributes}; Max-Age=0`;
  return `${name}=${value}; ${attributes}${seconds === undefined ? '' : `; Max-Age=${seconds}`}`;
}

/** The value of a cookie. Undefined where it is not there, or there twice: then somebody else put one of them there. */
export function cookieIn({ headers: { cookie } }: Knock, { name }: CookieKind): string | undefined {
  if (cookie === undefined) return undefined;
  const found = cookie.split(';').flatMap((part) => {
    const at = part.indexOf('=');
    return at > 0 && part.slice(0, at).trim() === name ? [part.slice(at + 1).trim()] : [];
  });
  return found.length === 1 && /^[A-Za-z0-9_-]{1,4000}$/.test(found[0]!) ? found[0] : undefined;
}

/** The token that a page sends with every act: it follows from the session's id, which the page itself cannot read, and tells nothing of it. */
export function csrfToken(sessionId: string): string {
  return createHmac('sha256', Buffer.from(sessionId, 'base64url'))
    .update('glacis console csrf')
    .digest('base64url');
}

/** Whether two texts are equal, without telling where they differ. */
export function areSame(one: string | undefined, other: string): boolean {
  if (one === undefined || one.length !== other.length) return false;
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
