import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Redis, type RedisOptions } from 'ioredis';
import { GlacisError } from '../../core/error.ts';
import { addressKeys } from './address-key.ts';
import { metersOf } from './meter.ts';
import { costOf, type Taker, takerName } from './rates-in-memory.ts';
import type { RatesConfig } from './rates-schema.ts';
import { HeardConnector } from './redis-connector.ts';

/** Questions that may be under way at once: more means that the store does not keep up. */
const MOST_PENDING = 10_000;

/** After this many questions in a row without an answer, one in each span of so many milliseconds tries, and the others fail at once. */
const TRIES = 5;
const BETWEEN_TRIES = 500;

/** How long a connection that should answer may say nothing, at least, in milliseconds. */
const LEAST_SILENCE = 1000;

/**
 * All limits of a request in one step, so that requests at once cannot pass together, and one that is refused takes nothing. Times are
 * microseconds of the store's own clock: those of the gateways do not matter. KEYS: one for each limit; ARGV: what the request costs and
 * how long the period is. Gives the microseconds to wait, 0 where it was taken. The same sums as in meter.ts.
 */
const SCRIPT = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local wait = 0
local nexts = {}
for i = 1, #KEYS do
  local cost = tonumber(ARGV[2 * i - 1])
  local period = tonumber(ARGV[2 * i])
  local expected = tonumber(redis.call('GET', KEYS[i]) or now)
  local next = math.min(math.max(expected, now), now + period) + cost
  if next - period - now > wait then wait = next - period - now end
  nexts[i] = next
end
if wait > 0.5 then return math.ceil(wait) end
for i = 1, #KEYS do
  redis.call('SET', KEYS[i], string.format('%.3f', nexts[i]), 'PX', math.ceil((nexts[i] - now) / 1000) + 1)
end
return 0`;

/** Limits that several gateways share. */
export interface SharedRates {
  /** As `Rates.take`; rejects where the store does not answer. */
  take(who: Taker, n: number): Promise<number | undefined>;
  /** Other limits from now on. */
  change(limits: RatesConfig['limits']): void;
  close(): Promise<void>;
}

/**
 * Limits in Redis or Valkey: one question a request. Every failure rejects within the timeout; the connection comes back by itself. Callers
 * are kept as hashes, until their limits have recovered. Errors: `option/invalid`.
 */
export function sharedRates(
  config: RatesConfig & { readonly redis: NonNullable<RatesConfig['redis']> },
  monotonic: () => number = () => performance.now(),
): SharedRates {
  const { redis: place } = config;
  const keyOf = addressKeys(config.ipv6Prefix);
  let meters = metersOf(config);
  const redis = new Redis(optionsOf(place));
  // Each failure shows at the question that it fails.
  redis.on('error', () => {});
  redis.defineCommand('glacisTake', { lua: SCRIPT });
  const command = (
    redis as unknown as Record<'glacisTake', (...args: (string | number)[]) => Promise<number>>
  ).glacisTake;
  let pending = 0;
  let failures = 0;
  let nextTry = 0;
  const ask = async (keys: readonly string[], amounts: readonly number[]): Promise<number> => {
    if (pending >= MOST_PENDING) throw gone('too many questions under way');
    if (failures >= TRIES) {
      if (monotonic() < nextTry) throw gone('no answer to the last questions');
      nextTry = monotonic() + BETWEEN_TRIES;
    }
    pending++;
    try {
      const wait = await command.call(redis, keys.length, ...keys, ...amounts);
      if (!Number.isSafeInteger(wait) || wait < 0) throw gone('an answer that is none');
      failures = 0;
      return wait;
    } catch (thrown) {
      failures++;
      throw gone(thrown instanceof Error ? thrown.message : String(thrown));
    } finally {
      pending--;
    }
  };
  return {
    change(limits) {
      meters = metersOf({ ...config, limits });
    },
    async take(who, n) {
      const keys: string[] = [];
      const amounts: number[] = [];
      for (const meter of meters) {
        const name = takerName(meter, who, keyOf);
        if (name === undefined) continue;
        const cost = costOf(meter, n);
        // The braces keep all keys in one place of a cluster: the script needs them together.
        keys.push(`{${place.prefix}}:${meter.name}:${hash('sha256', name, 'base64url').slice(0, 22)}`);
        amounts.push((cost * meter.period * 1000) / meter.limit, meter.period * 1000);
      }
      if (keys.length === 0) return undefined;
      const wait = await ask(keys, amounts);
      return wait === 0 ? undefined : Math.ceil(wait / 1e6);
    },
    async close() {
      redis.disconnect();
    },
  };
}

function optionsOf(place: NonNullable<RatesConfig['redis']>): Omit<RedisOptions, 'replyMapping'> {
  let url: URL;
  try {
    url = new URL(place.url);
  } catch {
    throw invalid('an address such as rediss://redis.example:6379');
  }
  if (url.search !== '' || url.hash !== '') throw invalid('an address without parameters');
  const host = decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1');
  const isEncrypted = url.protocol === 'rediss:';
  // redis:///run/redis/redis.sock names a socket.
  const isSocket = host === '' && url.pathname.length > 1;
  const isHere = isSocket || host === 'localhost' || host === '::1' || host.startsWith('127.');
  if (host === '' && !isSocket) throw invalid('an address with a host');
  if (!isEncrypted && !isHere && !place.unencrypted)
    throw invalid('rediss:// to another machine, or "unencrypted: true"');
  if (url.password !== '' && place.passwordFile !== undefined)
    throw invalid('the password in the address or in a file, not both');
  const password =
    place.passwordFile === undefined ? decodeURIComponent(url.password) : read(place.passwordFile).trimEnd();
  return {
    ...(isSocket
      ? { path: decodeURIComponent(url.pathname) }
      : { host, port: url.port === '' ? 6379 : Number(url.port), db: databaseOf(url) }),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(password === '' ? {} : { password }),
    ...(isEncrypted
      ? {
          tls: {
            rejectUnauthorized: true,
            minVersion: 'TLSv1.2' as const,
            ...(place.ca === undefined ? {} : { ca: read(place.ca) }),
          },
        }
      : {}),
    Connector: HeardConnector,
    connectTimeout: Math.max(1000, place.timeout),
    commandTimeout: place.timeout,
    // A connection that a firewall forgot, or whose other end lost its power, says nothing for a quarter of an hour: a new one is made before.
    socketTimeout: Math.max(LEAST_SILENCE, 2 * place.timeout),
    // Nobody waits for a connection to come back: a request gets its answer now.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (tries) => Math.min(100 * tries, 2000),
    connectionName: 'glacis',
  };
}

function databaseOf(url: URL): number {
  const text = url.pathname.slice(1);
  if (!/^\d{0,4}$/.test(text)) throw invalid('an address that ends with a number of a database, or without');
  return Number(text);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new GlacisError('option/invalid', `rates: expected a readable file at ${file}`, { cause: thrown });
  }
}

function gone(what: string): Error {
  return new Error(`Redis: ${what}`);
}

function invalid(expected: string): GlacisError {
  return new GlacisError('option/invalid', `rates: expected ${expected}`);
}
