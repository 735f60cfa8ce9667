import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { resolve } from 'node:path';
import { asGlacisError, GlacisError } from '../core/error.ts';
import type { Given } from './args.ts';

/** What the management side answers. */
export interface ManagementReply {
  readonly status: number;
  /** The answer as JSON; undefined where it is something else. */
  readonly json: unknown;
  readonly bytes: Uint8Array;
}

/** The management side of a running server. */
export interface ManagementSide {
  /** Asks a route; `path` with its query. What was refused comes back as it is. Errors: `endpoint/unavailable`. */
  call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<ManagementReply>;
}

const MOST_ANSWER = 600 << 20;
const SOCKET = 'unix:';

/** The key of `--key-file`, or of GLACIS_KEY. `option` is what needs it. Errors: `option/invalid`. */
export async function managementKey(given: Given, option: string): Promise<string> {
  const file = given.text('key-file');
  const key =
    file === undefined
      ? process.env.GLACIS_KEY
      : await readFile(file, 'utf8').catch((thrown) => {
          throw asGlacisError(thrown, 'option/invalid', file);
        });
  if (!key) throw new GlacisError('option/invalid', `${option}: expected --key-file (or GLACIS_KEY) with it`);
  return key.trim();
}

/**
 * The management side at an address, or `unix:PATH` of its socket; `option` is where the address was given. Errors: `option/invalid` for one over which a key must
 * not go.
 */
export function managementSide(
  address: string,
  key: string,
  { signal, option }: { readonly signal: AbortSignal; readonly option: string },
): ManagementSide {
  const send = address.startsWith(SOCKET)
    ? overSocket(resolve(address.slice(SOCKET.length)))
    : overNetwork(address, option);
  return {
    async call(method, path, body) {
      const headers = {
        authorization: `Bearer ${key}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      };
      try {
        const { status, type, bytes } = await send(path, {
          ...{ method, headers, signal },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        });
        if (bytes.length > MOST_ANSWER) throw new Error('the answer is too large');
        const isJson = type?.startsWith('application/json') ?? false;
        const json: unknown = isJson ? JSON.parse(Buffer.from(bytes).toString('utf8')) : undefined;
        return { status, json, bytes };
      } catch (thrown) {
        throw asGlacisError(thrown, 'endpoint/unavailable', address.replace(/^(https?:\/\/)[^/]*@/, '$1'));
      }
    },
  };
}

/** The reply where the server did what was asked (or its status is among `also`). Errors: what the server said otherwise, after `where`. */
export function accepted(
  where: string,
  reply: ManagementReply,
  also: readonly number[] = [],
): ManagementReply {
  const { status, json } = reply;
  if ((status >= 200 && status < 300) || also.includes(status)) return reply;
  const said = (json as { readonly error?: unknown } | undefined)?.error;
  const message = `${where}: ${typeof said === 'string' ? said.slice(0, 1000) : `status ${status}`}`;
  if (status >= 500) throw new GlacisError('endpoint/bad-answer', message);
  throw new GlacisError(status === 409 ? 'store/conflict' : 'request/invalid', message);
}

interface Sent {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}
type Send = (
  path: string,
  sent: Sent,
) => Promise<{ readonly status: number; readonly type: string | null; readonly bytes: Uint8Array }>;

function overNetwork(address: string, option: string): Send {
  const base = URL.parse(address);
  if (base === null || !['https:', 'http:'].includes(base.protocol))
    throw new GlacisError(
      'option/invalid',
      `${option}: expected an address such as https://glacis.example.org:8082, or unix:PATH, got '${address}'`,
    );
  if (base.protocol === 'http:' && !['localhost', '127.0.0.1', '[::1]'].includes(base.hostname))
    throw new GlacisError(
      'option/invalid',
      `${option}: expected https, except on this machine: a key would travel in the clear`,
    );
  return async (path, sent) => {
    const answer = await fetch(new URL(path, base), { ...sent, redirect: 'error' });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return { status: answer.status, type: answer.headers.get('content-type'), bytes };
  };
}

function overSocket(socketPath: string): Send {
  return (path, { body, ...sent }) =>
    new Promise((done, failed) => {
      const asked = request({ socketPath, path, host: 'localhost', agent: false, ...sent }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', failed);
        answer.once('end', () =>
          done({
            status: answer.statusCode!,
            type: answer.headers['content-type'] ?? null,
            bytes: Buffer.concat(chunks),
          }),
        );
      });
      asked.once('error', failed);
      asked.end(body);
    });
}
