import { randomBytes } from 'node:crypto';
import { hmac } from '../../../core/hmac.ts';
import type { Store } from '../../../store/index.ts';
import type { Decision } from '../../decision.ts';
import type { Observer } from '../../stages.ts';
import { clientCounter } from './client-counter.ts';
import { clientQueries } from './client-queries.ts';
import { rollupStatements, writeGroups } from './rollup-store.ts';
import { type Second, trafficCounter } from './traffic-counter.ts';
import { trafficQueries } from './traffic-queries.ts';

/** Between two writes, in milliseconds. */
const FLUSH_EVERY = 5000;
/** Clients that wait: then they are written at once. */
const MANY = 5000;

/** What rollups stand on. */
export interface RollupSurroundings {
  readonly store: Store;
  /** At least 32 random bytes that all gateways of the store share. */
  readonly secret: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly failed: (where: string, thrown: unknown) => void;
  /** The share of its fullest budget that a client has used of a model, as far as this gateway knows without asking; 0 where it does not. */
  readonly budgetShare?:
    | ((client: { readonly id: string; readonly tenant: string }, model: string) => number)
    | undefined;
}

/** Sums of the traffic, over time, models and clients. */
export interface Rollups {
  /** For each call: about two microseconds. */
  stage: Observer['stage'];
  decided(decision: Decision, milliseconds: number): void;
  /** The last whole second of this gateway. */
  live(): Second;
  /** Hears of each second of this gateway; gives the way to stop that. */
  onSecond(heard: (second: Second) => void): () => void;
  readonly traffic: ReturnType<typeof trafficQueries>;
  readonly clients: ReturnType<typeof clientQueries>;
  /** Forgets a client: for the right to be forgotten. Errors: those of the store. */
  forget(principal: string): Promise<void>;
  /** Writes what was counted; never throws. What cannot be written is kept and tried again. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the sums that the console shows. They are counted in this thread, a few additions a call, and written by the store's thread every five seconds; several gateways of
 * one store add up. What a crash takes is the last five seconds. They are for looking at: what counts is in the log.
 */
export function openRollups({ store, secret, now, failed, budgetShare }: RollupSurroundings): Rollups {
  const seed = hmac(secret, 'glacis rollups v1').readUInt32BE(0);
  const counter = trafficCounter(now, seed);
  const clients = clientCounter(seed);
  // A process that starts anew writes rows of its own: it does not know what those before it had counted.
  const gateway = randomBytes(6).toString('hex');
  const statements = rollupStatements(store);
  const listeners = new Set<(second: Second) => void>();
  let last = counter.second();

  const write = async (): Promise<void> => {
    const rows = counter.rows();
    const taken = clients.take();
    const groups = [
      ...rows.map((row) => statements.traffic(gateway, row)),
      ...taken.map((delta) =>
        statements.client(delta, (model) =>
          Math.min(1e6, budgetShare?.({ id: delta.principal, tenant: delta.tenant }, model) ?? 0),
        ),
      ),
    ];
    const done = await writeGroups(store, groups);
    counter.written(rows.filter((_, i) => done[i] === true));
    clients.putBack(taken.filter((_, i) => done[rows.length + i] !== true));
    const wrong = done.find((each) => each !== true);
    if (wrong !== undefined) failed('rollups', wrong);
  };
  let writing: Promise<void> | undefined;
  const flush = (): Promise<void> => {
    writing ??= write()
      .catch((thrown) => failed('rollups', thrown))
      .finally(() => {
        writing = undefined;
      });
    return writing;
  };
  const timers = [
    setInterval(flush, FLUSH_EVERY),
    setInterval(() => {
      last = counter.second();
      for (const heard of listeners)
        try {
          heard(last);
        } catch (thrown) {
          failed('live figures', thrown);
        }
    }, 1000),
  ];
  for (const timer of timers) timer.unref();
  return {
    stage: (name, milliseconds) => counter.stage(name, milliseconds),
    decided(decision, milliseconds) {
      counter.decided(decision, milliseconds);
      clients.decided(decision);
      if (clients.size >= MANY && writing === undefined) void flush();
    },
    live: () => last,
    onSecond(heard) {
      listeners.add(heard);
      return () => listeners.delete(heard);
    },
    traffic: trafficQueries(store),
    clients: clientQueries(store),
    async forget(principal) {
      await flush();
      await store.db.deleteFrom('clients').where('principal', '=', principal).execute();
      await store.db.deleteFrom('client_days').where('principal', '=', principal).execute();
    },
    flush,
    async close() {
      for (const timer of timers) clearInterval(timer);
      await writing;
      await flush();
    },
  };
}

/** An observer that counts for the rollups as well. */
export function withRollups(observer: Observer, rollups: Rollups): Observer {
  return {
    begin: observer.begin,
    stage(name, milliseconds) {
      observer.stage(name, milliseconds);
      rollups.stage(name, milliseconds);
    },
    decided(decision, ended) {
      observer.decided(decision, ended);
      rollups.decided(decision, ended.milliseconds);
    },
    failed: (where, thrown) => observer.failed(where, thrown),
  };
}
