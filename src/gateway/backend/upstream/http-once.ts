import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { GlacisError } from '../../../core/error.ts';
import { JSON_LENGTH_HEADER } from '../../../oip/message.ts';
import type { Networks } from './networks.ts';
import { type Sending, UpstreamFailure } from './transport.ts';

/** An answer with status 200. */
export interface HttpAnswer {
  /** Names in lower case; several of one name are one text with commas. Cookies are left out. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

/** What is sent. */
export interface HttpQuestion {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** Sends requests to one server over connections that are kept. */
export interface HttpClient {
  send(question: HttpQuestion, sending: Sending): Promise<HttpAnswer>;
  close(): void;
}

/** TLS material in PEM. */
export interface TlsMaterial {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/** Before the server closes a connection that nothing happens on (5 s is usual), this side does: a request on a closing one is lost. */
const IDLE = 4_000;
/** Errors before a connection stood: nothing was sent. */
const UNSENT = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'EACCES']);
/** Answers that tell of the request and not of the server. 500 is one: models fail on inputs. */
const REJECTED = new Set([400, 409, 413, 415, 422, 500]);

/**
 * A client for the server at `origin`, with at most `parallel` connections. It follows no redirect, asks for no compression, takes JSON and octets only, and reads no more
 * than it was told. Errors: `endpoint/unavailable` for an address that is not allowed; of `send` {@link UpstreamFailure}.
 */
export function httpClient(origin: URL, parallel: number, networks: Networks, tls: TlsMaterial): HttpClient {
  const host = origin.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !networks.allows(host))
    throw new GlacisError(
      'endpoint/unavailable',
      'upstream: expected an allowed address, got one that is not',
    );
  const secure = origin.protocol === 'https:';
  const settings = {
    keepAlive: true,
    maxSockets: parallel,
    maxFreeSockets: parallel,
    timeout: IDLE,
    scheduling: 'lifo',
  } as const;
  const agent = secure
    ? new HttpsAgent({ ...settings, ...tls, minVersion: 'TLSv1.2', rejectUnauthorized: true })
    : new HttpAgent(settings);
  const start = secure ? httpsRequest : httpRequest;
  return {
    send({ method, path, headers, body }, { signal, timeout, most }) {
      return new Promise<HttpAnswer>((resolve, reject) => {
        if (signal.aborted) return reject(new UpstreamFailure('gone', 'the caller has gone'));
        const request = start({
          agent,
          method,
          host,
          port: origin.port === '' ? (secure ? 443 : 80) : Number(origin.port),
          path,
          headers: {
            ...headers,
            host: origin.host,
            accept: 'application/json, application/octet-stream',
            'accept-encoding': 'identity',
            ...(body && { 'content-length': String(body.length) }),
          },
          lookup: networks.lookup,
          maxHeaderSize: 16_384,
        });
        const fail = (kind: UpstreamFailure['kind'], message: string, cause?: unknown): void => {
          finish();
          reject(new UpstreamFailure(kind, message, { cause }));
          request.destroy();
        };
        const gone = () => fail('gone', 'the caller has gone');
        const timer = setTimeout(() => fail('timeout', `no whole answer within ${timeout} ms`), timeout);
        const finish = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', gone);
        };
        signal.addEventListener('abort', gone, { once: true });
        request.on('error', (error: NodeJS.ErrnoException) => {
          const code = error.code ?? error.name;
          fail(!request.reusedSocket && UNSENT.has(code) ? 'unsent' : 'failed', `no answer: ${code}`, error);
        });
        request.on('response', (response) => {
          const problem = problemOf(response, most);
          if (problem) return fail(...problem);
          collect(response, most, request).then(
            (body) => {
              finish();
              const { 'set-cookie': _, ...headers } = response.headers;
              resolve({ headers: headers as HttpAnswer['headers'], body });
            },
            (error) =>
              fail(
                error instanceof UpstreamFailure ? error.kind : 'failed',
                error instanceof Error ? error.message : 'the answer broke off',
                error,
              ),
          );
        });
        request.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}

/** What is wrong with an answer, by its head. */
function problemOf(
  { statusCode = 0, headers }: IncomingMessage,
  most: number,
): readonly [UpstreamFailure['kind'], string] | undefined {
  if (statusCode >= 300 && statusCode < 400)
    return ['bad-answer', `status ${statusCode}: redirects are not followed`];
  if (statusCode !== 200) return [REJECTED.has(statusCode) ? 'rejected' : 'failed', `status ${statusCode}`];
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  // KServe names no type where it says how much of an answer is JSON.
  const isUnnamed = type === undefined && headers[JSON_LENGTH_HEADER] !== undefined;
  if (type !== 'application/json' && type !== 'application/octet-stream' && !isUnnamed)
    return ['bad-answer', 'expected JSON or octets, got another content type'];
  const coding = headers['content-encoding'];
  if (coding !== undefined && coding !== 'identity')
    return ['bad-answer', 'expected no content encoding, got one'];
  if (Number(headers['content-length'] ?? 0) > most)
    return ['bad-answer', `expected at most ${most} bytes, got more`];
  return undefined;
}

async function collect(response: IncomingMessage, most: number, request: ClientRequest): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > most) {
      request.destroy();
      throw new UpstreamFailure('bad-answer', `expected at most ${most} bytes, got more`);
    }
    chunks.push(chunk);
  }
  if (!response.complete) throw new UpstreamFailure('failed', 'the answer broke off');
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}
