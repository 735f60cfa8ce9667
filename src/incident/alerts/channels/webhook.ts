import { createHmac } from 'node:crypto';
import { GlacisError } from '../../../core/error.ts';
import type { Channel, Dispatch, Transmit } from '../channel.ts';
import { type HttpPlace, overHttp } from './over-http.ts';

const LEAST_KEY = 16;

/**
 * A webhook as Standard Webhooks has it (standardwebhooks.com, symmetric signatures): `webhook-id` is the same at every try, and the signature is over id, time and body. While one
 * key takes the place of another, all of them sign. Errors: `option/invalid` for a key that is too short.
 */
export function webhook(place: HttpPlace, keys: readonly string[], transmit: Transmit): Channel {
  const secrets = keys.map(keyBytes);
  return overHttp(place, transmit, ({ id, message, at, now }: Dispatch) => {
    const body = JSON.stringify({
      type: `glacis.case.${message.action}`,
      timestamp: new Date(at).toISOString(),
      data: message,
    });
    const time = String(Math.floor(now / 1000));
    const name = `msg_${id}`;
    const signatures = secrets.map(
      (key) => `v1,${createHmac('sha256', key).update(`${name}.${time}.${body}`).digest('base64')}`,
    );
    return {
      body,
      headers: { 'webhook-id': name, 'webhook-timestamp': time, 'webhook-signature': signatures.join(' ') },
    };
  });
}

/** `whsec_` and base64, as the specification has it; anything else is the key as it is. */
function keyBytes(text: string): Buffer {
  const bytes = text.startsWith('whsec_') ? Buffer.from(text.slice(6), 'base64') : Buffer.from(text);
  if (bytes.length < LEAST_KEY)
    throw new GlacisError(
      'option/invalid',
      `webhook: expected a key of at least ${LEAST_KEY} bytes, got ${bytes.length}`,
    );
  return bytes;
}
