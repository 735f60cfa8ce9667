import { readFile } from 'node:fs/promises';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import type { Given } from '../args.ts';

/** What a desk answers. */
export interface DeskAnswer {
  readonly status: number;
  /** The answer as JSON; undefined where it is bytes. */
  readonly json: unknown;
  readonly bytes: Uint8Array;
}

/** Incidents as the management side has them: of a running server, or of a data folder. */
export interface Desk {
  /** Asks a route; `path` with its query. Errors: `endpoint/…` of a server, those of the parts of a folder; what was refused comes back as it is. */
  call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<DeskAnswer>;
  /** What the good model goes by that this desk itself has opened; undefined without one. */
  readonly against?: string | undefined;
  close(): Promise<void>;
}

const MOST_ANSWER = 600 << 20;

/** A path with a query of what is given. */
export function pathOf(
  path: string,
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

/** Asks the management side of a running server, with `--key-file` or GLACIS_KEY. Errors: `option/invalid`. */
export async function remoteDesk(given: Given, url: string, signal: AbortSignal): Promise<Desk> {
  const file = given.text('key-file');
  const key =
    file === undefined
      ? process.env.GLACIS_KEY
      : await readFile(file, 'utf8').catch((thrown) => {
          throw asGlacisError(thrown, 'option/invalid', file);
        });
  if (!key) throw new GlacisError('option/invalid', '--url: expected --key-file (or GLACIS_KEY) with it');
  return httpDesk(url, key.trim(), signal);
}

/** The management side at an address. Errors: `option/invalid` for one over which a key must not go. */
export function httpDesk(url: string, key: string, signal: AbortSignal): Desk {
  const base = URL.parse(url);
  if (base === null || !['https:', 'http:'].includes(base.protocol))
    throw new GlacisError(
      'option/invalid',
      `--url: expected an address such as https://glacis.example.org:8082, got '${url}'`,
    );
  if (base.protocol === 'http:' && !['localhost', '127.0.0.1', '[::1]'].includes(base.hostname))
    throw new GlacisError(
      'option/invalid',
      '--url: expected https, except on this machine: a key would travel in the clear',
    );
  return {
    async call(method, path, body) {
      try {
        const answer = await fetch(new URL(path, base), {
          method,
          headers: {
            authorization: `Bearer ${key}`,
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
          redirect: 'error',
          signal,
        });
        const bytes = new Uint8Array(await answer.arrayBuffer());
        if (bytes.length > MOST_ANSWER) throw new Error('the answer is too large');
        const isJson = answer.headers.get('content-type')?.startsWith('application/json') ?? false;
        const json: unknown = isJson ? JSON.parse(Buffer.from(bytes).toString('utf8')) : undefined;
        return { status: answer.status, json, bytes };
      } catch (thrown) {
        throw asGlacisError(thrown, 'endpoint/unavailable', base.origin);
      }
    },
    close: async () => {},
  };
}

/** The JSON of an answer that is good. Errors: `request/invalid`, `store/conflict` and others with what the desk said. */
export async function expectJson<T>(desk: Desk, ...call: Parameters<Desk['call']>): Promise<T> {
  const { status, json } = await desk.call(...call);
  if (status >= 200 && status < 300) return json as T;
  throw refusal(status, json);
}

/** The bytes of an answer that is good. Errors: as {@link expectJson}. */
export async function expectBytes(desk: Desk, ...call: Parameters<Desk['call']>): Promise<Uint8Array> {
  const { status, json, bytes } = await desk.call(...call);
  if (status >= 200 && status < 300) return bytes;
  throw refusal(status, json);
}

function refusal(status: number, json: unknown): GlacisError {
  const said = (json as { readonly error?: unknown } | undefined)?.error;
  const message = typeof said === 'string' ? said.slice(0, 1000) : `status ${status}`;
  return new GlacisError(status === 409 ? 'store/conflict' : 'request/invalid', `incident: ${message}`);
}
