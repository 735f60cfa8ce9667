import { JSON_LENGTH_HEADER, type Outgoing } from '../../oip/index.ts';
import type { Padding } from '../padding.ts';

const SPACE = 0x20;

/**
 * A REST body filled up with blanks behind its JSON, which every reader of JSON skips; of a body with binary tensors, the header
 * that says how long the JSON is counts them.
 */
export function padBody(message: Outgoing, padding: Padding): Outgoing {
  const { body, headers } = message;
  const blanks = padding.padTo(body.length) - body.length;
  if (blanks <= 0) return message;
  const given = headers[JSON_LENGTH_HEADER];
  const json = given === undefined ? body.length : Number(given);
  const padded = new Uint8Array(body.length + blanks);
  padded.set(body.subarray(0, json));
  padded.fill(SPACE, json, json + blanks);
  padded.set(body.subarray(json), json + blanks);
  return {
    ...message,
    body: padded,
    headers: given === undefined ? headers : { ...headers, [JSON_LENGTH_HEADER]: `${json + blanks}` },
  };
}
