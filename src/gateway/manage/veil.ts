import { createCipheriv, createDecipheriv } from 'node:crypto';
import { hmac } from '../../core/hmac.ts';
import type { Incidents } from '../../incident/open-incidents.ts';
import type { OrderWish } from '../../incident/order.ts';
import { looksLikePseudonym, PSEUDONYM_MARK } from '../pseudonym-mark.ts';

/** Names of callers for people who may not know them: the same name always looks the same, and only this gateway can tell whose it is. */
export interface Veil {
  hide(name: string): string;
  /** The name behind what {@link hide} gave; undefined for anything else. */
  seen(text: string): string | undefined;
}

const NONCE = 12;
const TAG = 16;
/** Names are filled up to a multiple of this, so that their length says little. */
const BLOCK = 32;
const MOST = 4096;

/**
 * Pseudonyms under the gateway's secret: AES-256-GCM with a nonce that is an HMAC of the name (as in SIV, RFC 5297: equal names give equal texts, which is what is wanted here, and nothing else
 * shows). Gateways that share the secret give the same ones. No table is kept.
 */
export function openVeil(secret: Uint8Array): Veil {
  const [nonces, key] = [hmac(secret, 'glacis veil nonces v1'), hmac(secret, 'glacis veil names v1')];
  const nonceOf = (plain: Uint8Array) => hmac(nonces, plain).subarray(0, NONCE);
  return {
    hide(name) {
      const bytes = Buffer.from(name);
      const plain = Buffer.alloc(Math.ceil((bytes.length + 1) / BLOCK) * BLOCK);
      bytes.copy(plain);
      plain[bytes.length] = 1;
      const nonce = nonceOf(plain);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
      return PSEUDONYM_MARK + sealed.toString('base64url');
    },
    seen(text) {
      if (!looksLikePseudonym(text) || text.length > MOST) return undefined;
      const sealed = Buffer.from(text.slice(1), 'base64url');
      const end = sealed.length - TAG;
      if (end <= NONCE) return undefined;
      try {
        const cipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE));
        cipher.setAuthTag(sealed.subarray(end));
        const plain = Buffer.concat([cipher.update(sealed.subarray(NONCE, end)), cipher.final()]);
        return plain.subarray(0, plain.lastIndexOf(1)).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}

/** A wish about those whom it names, also by their pseudonyms. */
export function namedWish(wish: OrderWish, veil: Veil): OrderWish {
  const { principal, tenant } = wish.target;
  const nameOf = (text: string) => veil.seen(text) ?? text;
  return {
    ...wish,
    target: {
      ...wish.target,
      ...(principal !== undefined && { principal: nameOf(principal) }),
      ...(tenant !== undefined && { tenant: nameOf(tenant) }),
    },
  };
}

/** Cases in which people may also speak of callers by pseudonyms. */
export function unveiledIncidents(incidents: Incidents, veil: Veil): Incidents {
  return {
    ...incidents,
    act: (id, wish, ...rest) => incidents.act(id, namedWish(wish, veil), ...rest),
    open: (wish, by) =>
      incidents.open({ ...wish, principals: wish.principals.map((each) => veil.seen(each) ?? each) }, by),
  };
}
