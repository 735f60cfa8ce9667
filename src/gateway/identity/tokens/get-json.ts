import { GlacisError } from '../../../core/error.ts';
import { checkedRequest, type RequestLimits } from '../../outbound/checked-request.ts';

/** How a document is asked for. */
export type GetOptions = RequestLimits;

/**
 * Reads a JSON document as {@link checkedRequest} asks for it.
 * Errors: `endpoint/unavailable`, `endpoint/bad-answer`; the message names the origin, never what was answered.
 */
export async function getJson(url: URL, options: GetOptions): Promise<unknown> {
  const where = url.origin;
  const { status, body } = await checkedRequest(
    url,
    { method: 'GET', headers: { accept: 'application/json' }, what: 'keys' },
    options,
  );
  if (status !== 200)
    throw new GlacisError('endpoint/unavailable', `${where}: expected keys, got status ${status}`);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (thrown) {
    throw new GlacisError('endpoint/bad-answer', `${where}: expected JSON, got something else`, {
      cause: thrown,
    });
  }
}
