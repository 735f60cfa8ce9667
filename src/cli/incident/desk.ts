import type { Given } from '../args.ts';
import { accepted, type ManagementReply, managementKey, managementSide } from '../management-side.ts';

/** Incidents as the management side has them: of a running server, or of a data folder. */
export interface Desk {
  /** Asks a route; `path` with its query. Errors: `endpoint/…` of a server, those of the parts of a folder; what was refused comes back as it is. */
  call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<ManagementReply>;
  /** What the good model goes by that this desk itself has opened; undefined without one. */
  readonly against?: string | undefined;
  close(): Promise<void>;
}

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
  return httpDesk(url, await managementKey(given, '--url'), signal);
}

/** The management side at an address or socket. Errors: `option/invalid` for one over which a key must not go. */
export function httpDesk(url: string, key: string, signal: AbortSignal): Desk {
  return { ...managementSide(url, key, { signal, option: '--url' }), close: async () => {} };
}

/** The JSON of an answer that is good. Errors: `request/invalid`, `store/conflict` and others with what the desk said. */
export async function expectJson<T>(desk: Desk, ...call: Parameters<Desk['call']>): Promise<T> {
  return accepted('incident', await desk.call(...call)).json as T;
}

/** The bytes of an answer that is good. Errors: as {@link expectJson}. */
export async function expectBytes(desk: Desk, ...call: Parameters<Desk['call']>): Promise<Uint8Array> {
  return accepted('incident', await desk.call(...call)).bytes;
}
