import type { Channel, Transmit } from '../channel.ts';
import { type HttpPlace, overHttp } from './over-http.ts';

/** Events as CloudEvents 1.0 has them, in structured mode (`application/cloudevents+json`). `id` is the same at every try; `subject` is the case. */
export function cloudevents(
  place: HttpPlace,
  source: string,
  token: string | undefined,
  transmit: Transmit,
): Channel {
  return overHttp(place, transmit, ({ id, message, at }) => ({
    body: JSON.stringify({
      specversion: '1.0',
      id,
      source,
      type: `glacis.case.${message.action}`,
      subject: message.case.id,
      time: new Date(at).toISOString(),
      datacontenttype: 'application/json',
      data: message,
    }),
    headers: { 'content-type': 'application/cloudevents+json; charset=utf-8', ...bearer(token) },
  }));
}

/** A header with a token, where there is one. */
export function bearer(token: string | undefined): Readonly<Record<string, string>> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
