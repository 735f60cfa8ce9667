import { GlacisError } from '../../../core/error.ts';
import {
  type Channel,
  type Delivery,
  type Dispatch,
  type Networks,
  TRY_TIMEOUT,
  type Transmit,
} from '../channel.ts';

/** What a channel over HTTP sends: a body and headers of its own. */
export type Written = { readonly body: string; readonly headers: Readonly<Record<string, string>> };

/** Where it goes. */
export interface HttpPlace {
  readonly url: string;
  readonly networks: Networks;
  readonly ca: string | undefined;
}

const MOST_ANSWER = 64 << 10;
const LONGEST_WAIT = 3_600_000;
/** Statuses that are about the message, not about the receiver. */
const REFUSED = new Set([400, 413, 415, 422]);

/** A channel that posts what `write` makes of a message; 2xx is an arrival. Errors: `option/invalid` for an address that is none. */
export function overHttp(
  { url, networks, ca }: HttpPlace,
  transmit: Transmit,
  write: (dispatch: Dispatch) => Written,
): Channel {
  const target = URL.parse(url);
  if (
    target === null ||
    target.username !== '' ||
    target.password !== '' ||
    !/^https?:$/.test(target.protocol)
  )
    throw new GlacisError(
      'option/invalid',
      'serve.alerts: expected an address with https and without a password',
    );
  return {
    to: target.host,
    async deliver(dispatch) {
      try {
        const { body, headers } = write(dispatch);
        const answer = await transmit(
          target,
          {
            method: 'POST',
            headers: { 'content-type': 'application/json', ...headers },
            body: Buffer.from(body),
            what: 'an arrival',
          },
          { networks, timeout: TRY_TIMEOUT, mostBytes: MOST_ANSWER, ca },
        );
        return deliveryOf(answer.status, answer.headers['retry-after'], dispatch.now);
      } catch (thrown) {
        const because = thrown instanceof GlacisError ? thrown.message : 'it could not be sent';
        return { ok: false, because };
      }
    },
  };
}

function deliveryOf(status: number, retryAfter: string | string[] | undefined, now: number): Delivery {
  if (status >= 200 && status < 300) return { ok: true };
  const wait = waitOf(Array.isArray(retryAfter) ? retryAfter[0] : retryAfter, now);
  return { ok: false, because: `status ${status}`, wait, isRefused: REFUSED.has(status) };
}

/** Milliseconds: seconds or a date (RFC 9110, section 10.2.3), an hour at most. */
function waitOf(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const wait = /^\d{1,6}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return wait > 0 ? Math.min(wait, LONGEST_WAIT) : undefined;
}
