import { GlacisError } from '../core/error.ts';
import { quoted } from '../onnx/problems.ts';

/** One HTTP request. */
export interface Exchange {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** Most bytes that a good answer (2xx) may have, unpacked. */
  readonly maxBytes: number;
}

/** What came back, whatever its status. */
export interface Reply {
  readonly status: number;
  /** How messages call the status, where it has a name. */
  readonly name?: string;
  readonly headers: Headers;
  /** All of a good answer; of a refusal the first 8 KiB. */
  readonly body: Uint8Array;
}

const REFUSAL_BYTES = 8192;
const MAX_REDIRECTS = 3;

/**
 * Sends a request and reads the answer, never more of it than `maxBytes`. Redirects are followed inside the same origin only: another
 * host would get the credentials and the samples. `where` begins the messages.
 * Errors: `endpoint/bad-answer` for too many bytes, `endpoint/unavailable` for a redirect elsewhere; failures of the
 * network and the signal's reason as `fetch` throws them.
 */
export async function exchangeOnce(exchange: Exchange, where: string, signal: AbortSignal): Promise<Reply> {
  const { method, headers, body, maxBytes } = exchange;
  let { url } = exchange;
  for (let redirects = 0; ; redirects++) {
    const response = await fetch(url, {
      method,
      // Packed answers would save little on float data; a hostile one grows while it is unpacked.
      headers: { ...headers, 'accept-encoding': 'identity' },
      ...(body && { body }),
      redirect: 'manual',
      signal,
    });
    const { status } = response;
    if (!isRedirect(status)) {
      const good = status >= 200 && status < 300;
      const declared = Number(response.headers.get('content-length') ?? 0);
      const tooLong = good && declared > maxBytes;
      const read = tooLong ? undefined : await readAtMost(response, good ? maxBytes : REFUSAL_BYTES);
      if (good && !read?.whole) {
        if (tooLong) await response.body?.cancel();
        throw new GlacisError(
          'endpoint/bad-answer',
          `${where}: expected an answer of at most ${maxBytes} bytes, got ${tooLong ? declared : 'more'}`,
        );
      }
      return { status, headers: response.headers, body: read?.bytes ?? new Uint8Array(0) };
    }
    await response.body?.cancel();
    url = redirected(url, response, method, redirects, where);
  }
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

function redirected(
  from: string,
  response: Response,
  method: 'GET' | 'POST',
  redirects: number,
  where: string,
): string {
  const refuse = (got: string) =>
    new GlacisError('endpoint/unavailable', `${where}: expected an answer, got a redirect ${got}`);
  const location = response.headers.get('location');
  const to = location === null ? null : URL.parse(location, from);
  if (!to) throw refuse('to nowhere');
  if (to.username !== '' || to.password !== '') throw refuse('to nowhere: with a password');
  if (to.origin !== new URL(from).origin)
    throw refuse(`to ${quoted(to.origin)}; give that address if it is the right one`);
  if (redirects >= MAX_REDIRECTS) throw refuse(`after ${MAX_REDIRECTS} others`);
  // The other statuses turn a POST into a GET.
  if (method === 'POST' && response.status !== 307 && response.status !== 308)
    throw refuse(`of a POST with status ${response.status}`);
  return to.href;
}

async function readAtMost(
  response: Response,
  most: number,
): Promise<{ readonly bytes: Uint8Array; readonly whole: boolean }> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  if (response.body) {
    // Leaving the loop early cancels the rest.
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      chunks.push(chunk.subarray(0, most - length));
      length += chunk.length;
      if (length > most) return { bytes: Buffer.concat(chunks), whole: false };
    }
  }
  return { bytes: Buffer.concat(chunks), whole: true };
}
