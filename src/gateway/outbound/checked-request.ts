import { lookup as resolve } from 'node:dns';
import { type IncomingHttpHeaders, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { isReachable, type ReachableNetworks } from './reachable.ts';

/** Where a request may go, and how much of its answer is read. */
export interface RequestLimits {
  readonly networks: ReachableNetworks;
  /** Milliseconds for all of it. */
  readonly timeout: number;
  readonly mostBytes: number;
  /** PEM of the authority, where it is not a public one. */
  readonly ca?: string | undefined;
  /** Resolves names; the system's resolver without. */
  readonly resolve?: typeof resolve | undefined;
}

/** What is sent. */
export interface Outgoing {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  /** What is expected, for messages: `keys`. */
  readonly what: string;
}

/** What came back, whatever its status. */
export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/**
 * Sends one request over https (http on this machine only, and only where loopback is allowed). Goes where the address says and nowhere else: no redirect is followed, and the
 * address that a name resolves to is checked when the connection is made, so that it cannot be another one by then.
 * Errors: `endpoint/unavailable`, `endpoint/bad-answer` (too long); the message names the origin, never what was answered.
 */
export function checkedRequest(url: URL, sent: Outgoing, limits: RequestLimits): Promise<Answered> {
  const { networks, timeout, mostBytes, ca } = limits;
  const where = url.origin;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const fail = (got: string) =>
    new GlacisError('endpoint/unavailable', `${where}: expected ${sent.what}, got ${got}`);
  return new Promise((done, failed) => {
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && networks.loopback && isLoopbackName(host)))
      return failed(fail('an address that is not https'));
    // A numeric host is never looked up.
    if (isIP(host) !== 0 && !isReachable(host, networks))
      return failed(fail('an address that may not be asked'));
    const signal = AbortSignal.timeout(timeout);
    const request = (url.protocol === 'https:' ? secureRequest : plainRequest)(
      url,
      {
        method: sent.method,
        agent: false,
        headers: {
          'accept-encoding': 'identity',
          'user-agent': 'glacis',
          ...sent.headers,
          ...(sent.body && { 'content-length': String(sent.body.length) }),
        },
        lookup: checkedLookup(networks, limits.resolve ?? resolve),
        maxHeaderSize: 16_384,
        signal,
        ...(ca !== undefined && { ca }),
      },
      (answer) => {
        read(answer, where, mostBytes).then(
          (body) => done({ status: answer.statusCode ?? 0, headers: answer.headers, body }),
          (thrown: unknown) => {
            request.destroy();
            failed(thrown);
          },
        );
      },
    );
    request.on('error', (thrown) =>
      failed(
        signal.aborted
          ? fail(`nothing within ${timeout} ms`)
          : asGlacisError(thrown, 'endpoint/unavailable', where),
      ),
    );
    request.end(sent.body);
  });
}

async function read(answer: IncomingMessage, where: string, mostBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > mostBytes)
        throw new GlacisError(
          'endpoint/bad-answer',
          `${where}: expected at most ${mostBytes} bytes, got more`,
        );
      chunks.push(chunk);
    }
  } catch (thrown) {
    throw asGlacisError(thrown, 'endpoint/unavailable', where);
  }
  return Buffer.concat(chunks);
}

/** Resolves a name and gives only addresses that may be asked; the connection is made to one of these. */
export function checkedLookup(networks: ReachableNetworks, look: typeof resolve = resolve): LookupFunction {
  return (name, options, callback) => {
    look(name, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 4);
      const [first] = addresses.filter(({ address }) => isReachable(address, networks));
      if (first === undefined || addresses.some(({ address }) => !isReachable(address, networks)))
        return callback(new Error('a name that leads to an address that may not be asked'), '', 4);
      if (options.all) return callback(null, addresses as never);
      callback(null, first.address, first.family);
    });
  };
}

/** Whether a host, as an address has it, is this machine. */
export function isLoopbackName(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return (
    host === 'localhost' ||
    (isIP(host) !== 0 &&
      isReachable(host, { loopback: true, private: false }) &&
      !isReachable(host, { loopback: false, private: false }))
  );
}
