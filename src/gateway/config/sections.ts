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

/** Sections that hold from the start to the end. */
const FIXED = [
  ...(['listen', 'management', 'store', 'log', 'contain', 'timing', 'rights'] as const),
  ...(['memory', 'threads', 'lostThreads', 'recheckSeconds'] as const),
  ...(['mostSamples', 'mostBytes', 'timeout'] as const),
] as const;

/** All that holds from the start to the end, by where it stands. */
function fixedOf(config: ServeConfig): Readonly<Record<string, unknown>> {
  const { rates, budgets, identity, console } = config;
  return {
    ...Object.fromEntries(FIXED.map((name) => [name, config[name]])),
    // Limits may change; how they are counted and shared may not.
    rates: { ...rates, limits: undefined },
    budgets: { ...budgets, limits: undefined, steps: undefined },
    'identity.keys': identity.keys,
    'identity.failures': identity.failures,
    'console.assessments': console.assessments,
    'verify.reviews': reviewsOf(config),
  };
}

/** Nothing that is asked for may be left out in silence. Errors: `option/invalid` where something changed that cannot while the server runs. */
export function unchangeable(before: ServeConfig, after: ServeConfig): void {
  const [old, fresh] = [fixedOf(before), fixedOf(after)];
  const changed = Object.keys(old).filter(
    (name) => JSON.stringify(old[name]) !== JSON.stringify(fresh[name]),
  );
  if (changed.length > 0)
    throw new GlacisError(
      'option/invalid',
      `reload: expected ${changed.join(', ')} as they were; restart to change them`,
    );
}
