import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';
import { GlacisError } from '../../core/error.ts';
import type { PostgresConfig } from '../config-schema.ts';
import { LONGEST_IDLE_TRANSACTION } from '../engine.ts';
import { isServersWord, postgresError } from './postgres-error.ts';

/** Types that `pg` gives as text because they may not fit a number: bigint, and the numeric that sums of it have. */
const INT8 = 20;
const NUMERIC = 1700;

/** Connections are made anew after this many seconds, so that a new address behind a name is noticed. */
const LONGEST_LIFE = 1800;

/**
 * A pool of connections as Kysely wants it. A connection on which something else than an error of the server happened (it broke, it did not
 * answer in time) is not used again: its answer might come late, to another's question. Errors: `option/invalid`.
 */
export function postgresPool(config: PostgresConfig): PostgresPool {
  const timeout = config.queryTimeout ?? 5000;
  const pool = new pg.Pool({
    ...addressOf(config),
    max: config.connections ?? 10,
    connectionTimeoutMillis: config.connectTimeout ?? 3000,
    idleTimeoutMillis: 30_000,
    maxLifetimeSeconds: LONGEST_LIFE,
    allowExitOnIdle: true,
    keepAlive: true,
    application_name: 'glacis',
    // The server gives up first; where it is gone, we do.
    statement_timeout: timeout,
    lock_timeout: timeout,
    query_timeout: timeout + 500,
    idle_in_transaction_session_timeout: LONGEST_IDLE_TRANSACTION,
    types: {
      getTypeParser: ((oid: number, format?: 'text') =>
        oid === INT8 || oid === NUMERIC ? toNumber : pg.types.getTypeParser(oid, format)) as never,
    },
  });
  // A connection that breaks while nobody uses it: the pool drops it, and the next question opens another.
  pool.on('error', () => {});
  // One that the server ends with the very bytes that made it ready: the pool has handed it out, and nobody has it yet.
  pool.on('connect', (client) => client.on('error', () => {}));
  return {
    options: {},
    async connect() {
      try {
        return guarded(await pool.connect());
      } catch (thrown) {
        throw postgresError(thrown);
      }
    },
    end: () => pool.end(),
  };
}

function guarded(client: pg.PoolClient): PostgresPoolClient {
  let isLost = false;
  const lose = () => {
    isLost = true;
  };
  client.on('error', lose);
  const guard = {
    async query(text: string, parameters: readonly unknown[]) {
      if (isLost) throw new GlacisError('store/unavailable', 'store: PostgreSQL: the connection is lost');
      try {
        return await client.query(text, parameters as unknown[]);
      } catch (thrown) {
        if (!isServersWord(thrown)) isLost = true;
        throw postgresError(thrown);
      }
    },
    release(destroy?: boolean) {
      client.off('error', lose);
      client.release(destroy === true || isLost);
    },
  };
  return guard as unknown as PostgresPoolClient;
}

function toNumber(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) || !Number.isInteger(value)) return value;
  throw new GlacisError('run/failed', 'store: expected a whole number that fits in 53 bits');
}

/** Where and as whom to connect. The address is taken apart here, so that nothing in it can switch the encryption off. */
function addressOf(config: PostgresConfig): pg.PoolConfig {
  let url: URL;
  try {
    url = new URL(config.url);
  } catch {
    throw invalid('an address such as postgres://glacis@db.example:5432/glacis');
  }
  for (const name of url.searchParams.keys())
    if (name !== 'host') throw invalid(`an address with no parameter but "host", got "${name}"`);
  const host = url.searchParams.get('host') ?? decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1');
  if (host === '') throw invalid('an address with a host');
  if (url.searchParams.has('host') && url.hostname !== '' && url.hostname !== 'localhost')
    throw invalid('an address with one host, not two');
  const database = decodeURIComponent(url.pathname.slice(1));
  if (database === '') throw invalid("an address that ends with the database's name");
  if (url.password !== '' && config.passwordFile !== undefined)
    throw invalid('the password in the address or in a file, not both');
  const isHere = host.startsWith('/') || host === 'localhost' || host === '::1' || host.startsWith('127.');
  return {
    host,
    port: url.port === '' ? 5432 : Number(url.port),
    database,
    user: url.username === '' ? 'glacis' : decodeURIComponent(url.username),
    ...passwordOf(url, config.passwordFile),
    ssl: tlsOf(config.tls ?? (isHere ? 'off' : 'on')),
  };
}

function passwordOf(url: URL, file: string | undefined): { readonly password?: string } {
  if (url.password !== '') return { password: decodeURIComponent(url.password) };
  return file === undefined ? {} : { password: read(file, 'password').trimEnd() };
}

function tlsOf(tls: NonNullable<PostgresConfig['tls']>): ConnectionOptions | false {
  if (tls === 'off') return false;
  const strict = { rejectUnauthorized: true, minVersion: 'TLSv1.2' } as const;
  return tls === 'on' ? strict : { ...strict, ca: read(tls.ca, 'certificate authority') };
}

function read(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new GlacisError('option/invalid', `store: expected a readable file with the ${what} at ${file}`, {
      cause: thrown,
    });
  }
}

function invalid(expected: string): GlacisError {
  return new GlacisError('option/invalid', `store: expected ${expected}`);
}
