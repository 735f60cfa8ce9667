import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GlacisError } from '../../core/error.ts';
import { verifySchema } from '../verify/index.ts';
import type { ServeConfig } from './serve-schema.ts';

/** What the backends are told. */
export function backendOf({ models, memory, threads, lostThreads, revoked, recheckSeconds }: ServeConfig) {
  return { models, memory, threads, lostThreads, revoked, recheckSeconds };
}

/** How held answers are reviewed: as the first verification that is configured says. */
export function reviewsOf({ verify, only }: ServeConfig) {
  const first = verify ?? Object.values(only).find((each) => each.verify !== undefined)?.verify;
  return first?.reviews ?? verifySchema.shape.reviews.parse({});
}

/** Where the store is, with absolute paths. */
export function storeOf({ store }: ServeConfig, folder: string, placeOf: (path: string) => string) {
  if (store.kind === 'sqlite')
    return { ...store, file: store.file === undefined ? join(folder, 'glacis.db') : placeOf(store.file) };
  const { passwordFile, tls } = store;
  return {
    ...store,
    ...(passwordFile !== undefined && { passwordFile: placeOf(passwordFile) }),
    ...(typeof tls === 'object' && { tls: { ca: placeOf(tls.ca) } }),
  };
}

/** Rates, with absolute paths. */
export function ratesOf({ rates }: ServeConfig, placeOf: (path: string) => string) {
  if (rates.redis === undefined) return rates;
  const { passwordFile, ca } = rates.redis;
  const redis = {
    ...rates.redis,
    ...(passwordFile !== undefined && { passwordFile: placeOf(passwordFile) }),
    ...(ca !== undefined && { ca: placeOf(ca) }),
  };
  return { ...rates, redis };
}

/** Rights, with absolute paths. */
export function rightsOf({ rights }: ServeConfig, placeOf: (path: string) => string) {
  return { ...rights, policies: rights.policies.map(placeOf), management: rights.management.map(placeOf) };
}

/** Whether some model's answers are marked. */
export function marksAnswers({ answers, only }: ServeConfig): boolean {
  return [answers, ...Object.values(only).map((each) => each.answers)].some(
    (each) => each?.watermark !== undefined,
  );
}

/** The files of TLS for the management side. Errors: `option/invalid`. */
export async function managementTls({ management: { tls } }: ServeConfig, placeOf: (path: string) => string) {
  if (tls === undefined) return undefined;
  const read = (path: string) =>
    readFile(placeOf(path)).catch((thrown: Error) => {
      throw new GlacisError('option/invalid', `serve.management.tls: ${path}: ${thrown.message}`, {
        cause: thrown,
      });
    });
  const [cert, key] = [await read(tls.cert), await read(tls.key)];
  return { cert, key, ...(tls.clientCa !== undefined && { ca: await read(tls.clientCa) }) };
}

/** The address of the console, as links name it. */
export function consoleAddress({ console, management: { host, port, tls } }: ServeConfig): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return console.address?.replace(/\/$/, '') ?? `${tls === undefined ? 'http' : 'https'}://${name}:${port}`;
}

/** What holds from the start to the end. */
const FIXED = [
  'listen',
  'management',
  'store',
  'log',
  'contain',
  'timing',
  'mostSamples',
  'mostBytes',
  'timeout',
] as const;

/** Errors: `option/invalid` where something changed that cannot while the server runs. */
export function unchangeable(before: ServeConfig, after: ServeConfig): void {
  // Limits may change; how they are counted and shared may not.
  const fixed = ({ rates, budgets, ...rest }: ServeConfig) => ({
    ...rest,
    rates: { ...rates, limits: undefined },
    budgets: { ...budgets, limits: undefined, steps: undefined },
  });
  const [old, fresh] = [fixed(before), fixed(after)];
  const changed = [...FIXED, 'rates' as const, 'budgets' as const].filter(
    (name) => JSON.stringify(old[name]) !== JSON.stringify(fresh[name]),
  );
  if (changed.length > 0)
    throw new GlacisError(
      'option/invalid',
      `reload: expected ${changed.join(', ')} as they were; restart to change them`,
    );
}
