import { ReadableStream } from 'node:stream/web';
import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';

/** How often a request is made when the connection breaks or the server is busy. */
const TRIES = 4;
/** Milliseconds before the second try; doubled each time. */
const PAUSE = 200;
/** Bytes that are read of an answer that should be short. */
const MOST_WORDS = 1 << 16;

/** An HTTP request that can be made again: its body is opened anew each time. */
export interface Attempt {
  readonly url: string | URL;
  readonly method: string;
  headers(): Readonly<Record<string, string>>;
  /** With `size` bytes. */
  readonly body?: { open(): AsyncIterable<Uint8Array>; readonly size: number } | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a request, again when the connection breaks or the server answers 429 or 5xx. A redirection is an answer like any other: headers with
 * rights in them do not go elsewhere.
 * Errors: `registry/storage` when all tries failed, `run/cancelled`; those of the body pass.
 */
export async function attempt(request: Attempt): Promise<Response> {
  const { url, method, body, signal } = request;
  const where = `${method} ${new URL(url).origin}${new URL(url).pathname}`;
  let last = '';
  for (let tries = 0; tries < TRIES; tries++) {
    throwIfCancelled(signal, where);
    if (tries > 0) await new Promise((done) => setTimeout(done, PAUSE * 2 ** (tries - 1)));
    let fault: unknown;
    try {
      const answer = await fetch(url, {
        method,
        redirect: 'manual',
        headers: { ...request.headers(), ...(body && { 'content-length': String(body.size) }) },
        ...(body && {
          duplex: 'half',
          body: ReadableStream.from(
            rethrown(body.open(), (thrown) => {
              fault = thrown;
            }),
          ),
        }),
        ...(signal && { signal }),
      } as RequestInit);
      if (answer.status !== 429 && answer.status < 500) return answer;
      last = `${answer.status} ${(await wordsOf(answer)).slice(0, 200)}`;
    } catch (thrown) {
      // What the body said is the cause, not a broken connection.
      if (fault instanceof GlacisError) throw fault;
      throwIfCancelled(signal, where);
      const cause = (thrown as { cause?: { message?: string } }).cause?.message;
      last = `${(thrown as Error).message}${cause ? `: ${cause}` : ''}`;
    }
  }
  throw new GlacisError('registry/storage', `${where}: expected an answer in ${TRIES} tries, got ${last}`);
}

/** The bytes of an answer. Errors: `registry/storage` when the connection breaks, `run/cancelled`. */
export async function* bytesOf(
  answer: Response,
  where: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    if (answer.body) yield* answer.body as unknown as AsyncIterable<Uint8Array>;
  } catch (cause) {
    throwIfCancelled(signal, where);
    throw new GlacisError('registry/storage', `${where}: the connection broke while reading`, { cause });
  }
}

/** The first 64 KiB of a short answer as text; what a server sends beyond is not read. Nothing when the connection breaks. */
export async function wordsOf(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of bytesOf(answer, 'answer')) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= MOST_WORDS) break;
    }
  } catch {
    return '';
  }
  return Buffer.concat(chunks).toString('utf8', 0, MOST_WORDS);
}

/** The error for an answer that is not what was asked for; the server's words are cut short. */
export async function refusal(answer: Response, where: string): Promise<GlacisError> {
  const words = (await wordsOf(answer)).slice(0, 300).replace(/\s+/g, ' ');
  return new GlacisError('registry/storage', `${where}: the server says ${answer.status} ${words}`);
}

async function* rethrown(
  source: AsyncIterable<Uint8Array>,
  note: (thrown: unknown) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (thrown) {
    note(thrown);
    throw thrown;
  }
}
