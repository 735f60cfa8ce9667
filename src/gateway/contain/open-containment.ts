import { randomBytes } from 'node:crypto';
import { GlacisError } from '../../core/error.ts';
import type { Containment, Order, OrderWish } from '../../incident/order.ts';
import type { Store } from '../../store/index.ts';
import type { Event } from '../decision.ts';
import type { CallOrders } from '../orders.ts';
import type { Freeze } from './freeze.ts';
import type { FreezeRegistries } from './freeze-registries.ts';
import { compileOrders, type InForce } from './in-force.ts';
import { orderEvent } from './order-event.ts';
import { type Before, effectOf, type StoredOrder } from './order-row.ts';
import { checkedWish } from './order-schema.ts';
import { orderStore } from './order-store.ts';
import { type Rollable, rollbackOf, settleRollback } from './rollbacks.ts';
import { checkSuits, type Served } from './suits.ts';
import { registryTeller } from './tell-registries.ts';
import { openThrottles } from './throttles.ts';

/** How often it is looked whether another gateway changed something, in milliseconds. */
const LOOK_EVERY = 400;
/** Who acts where a measure ends by itself. */
const GLACIS = 'glacis';

/** What containment stands on. */
export interface ContainmentSurroundings extends Served, Rollable {
  readonly store: Store;
  /** Writes an event to the log and comes back when it is on the disk. Errors: `output/unwritable`. */
  readonly record: (event: Event) => Promise<unknown>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock: () => number;
  readonly failed: (where: string, thrown: unknown) => void;
  /** Freezes registries for everybody, where this gateway has keys of an approver. */
  readonly freezeRegistries?: FreezeRegistries | undefined;
}

/** Containment, with what the gateway itself needs of it. */
export interface OpenContainment extends Containment {
  /** What calls look up. */
  readonly calls: CallOrders;
  /** The freeze in force, for whoever loads models. */
  frozen(): Freeze | undefined;
  /** Begins to carry out what concerns models: call it once they are there. */
  start(): void;
  /** Why measures of other gateways are not heard of now; the last known ones stay in force. */
  readonly problem: string | undefined;
  /** Tells of each measure that comes into force or ends; gives the way to stop that. */
  onChange(heard: (order: Order) => void): () => void;
  /** Looks now whether another gateway changed something. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens containment with the measures that the store has in force. A measure is in the log first, then in the store, then in force here when `order` returns, and on every
 * other gateway of the store within a second. When the store is gone, the last known measures stay in force and nothing new can be ordered. Errors: those of the store.
 */
export async function openContainment(around: ContainmentSurroundings): Promise<OpenContainment> {
  const { record, now, failed } = around;
  const store = orderStore(around.store);
  const throttles = openThrottles(around.clock);
  const compile = (all: readonly StoredOrder[]) => compileOrders(all, { ...around, throttles });
  const tellRegistries = registryTeller(around);
  const listeners = new Set<(order: Order) => void>();
  const tell = (order: Order) => {
    for (const heard of listeners)
      try {
        heard(order);
      } catch (thrown) {
        failed('orders', thrown);
      }
  };

  let revision = await store.revision();
  let current: InForce = compile(await store.inForce());
  let problem: string | undefined;
  let started = false;
  let closed = false;
  /** Measures that this gateway itself put in force or ended: its log has them already. */
  const own = new Set<string>();
  /** Measures whose end is in the log, and not yet in the store. */
  const ending = new Set<string>();

  /** One change after another. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => {});
    return mine;
  };

  const settle = async (stored: StoredOrder, forth: boolean, by: string): Promise<boolean> => {
    if (!started || stored.order.measure !== 'rollback') return false;
    return settleRollback(stored, forth, around, by);
  };
  const settleQuietly = (stored: StoredOrder, forth: boolean) =>
    settle(stored, forth, GLACIS).catch((thrown) => {
      failed(`order ${stored.order.id}`, thrown);
      return false;
    });

  /** Reads what is in force, compiles it, and does what follows. */
  const learn = async (): Promise<void> => {
    const seen = await store.revision();
    const all = await store.inForce();
    const before = new Map(current.all.map((stored) => [stored.order.id, stored]));
    const after = new Set(all.map(({ order }) => order.id));
    current = compile(all);
    revision = seen;
    for (const id of ending) if (!after.has(id)) ending.delete(id);
    for (const stored of all) {
      const { order } = stored;
      if (before.has(order.id)) continue;
      tell(order);
      if (!own.delete(order.id)) await record(orderEvent('order-in-force', order, { at: now(), by: GLACIS }));
      await settleQuietly(stored, true);
    }
    for (const [id, stored] of before) {
      if (after.has(id)) continue;
      const ended = (await store.find(id)) ?? stored;
      tell(ended.order);
      if (own.delete(id)) continue;
      const about = { at: now(), by: GLACIS, more: { endedBy: ended.order.endedBy ?? GLACIS } };
      await record(orderEvent('order-out-of-force', ended.order, about));
      if (!isReplaced(stored, all)) await settleQuietly(stored, false);
    }
  };
  /** Ends what has lasted long enough. */
  const expire = async (): Promise<void> => {
    const time = now();
    for (const stored of current.all) {
      const { until, id } = stored.order;
      if (until === undefined || time < until) continue;
      if (!ending.has(id)) await record(orderEvent('order-ended', stored.order, { at: time, by: GLACIS }));
      ending.add(id);
      own.add(id);
      const isFirst = await store.end(id, until, GLACIS);
      await settleQuietly(stored, false);
      if (isFirst) await tellRegistries(stored.order, false, GLACIS);
    }
  };
  const look = async (): Promise<void> => {
    await expire();
    if ((await store.revision()) !== revision) await learn();
    // A reload may have put the wrong version back into service.
    for (const stored of current.all)
      if (stored.order.measure === 'rollback') await settleQuietly(stored, true);
  };
  let looking = false;
  const lookAgain = (): void => {
    if (looking || closed) return;
    looking = true;
    inTurn(look)
      .then(
        () => {
          problem = undefined;
        },
        (thrown) => {
          problem = thrown instanceof Error ? thrown.message : String(thrown);
          failed('orders', thrown);
        },
      )
      .finally(() => {
        looking = false;
      });
  };
  const timer = setInterval(lookAgain, LOOK_EVERY);
  timer.unref();

  const beforeOf = (wish: OrderWish): Before => {
    if (wish.measure === 'rollback') return rollbackOf(wish.target.model!, around);
    if (wish.measure !== 'freeze') return {};
    const digests = around
      .models()
      .map(({ model, versions }) => [model, versions.map(({ digest }) => digest)] as const);
    return { served: Object.fromEntries(digests) };
  };
  const order = async (given: OrderWish, by: string): Promise<Order> => {
    const wish = checkedWish(given);
    if (wish.until !== undefined && wish.until <= now())
      throw new GlacisError('option/invalid', 'order: expected an end in the future');
    const effect = effectOf(wish);
    const same = await store.withEffect(effect);
    if (same !== undefined && lastsAsLong(same.order, wish)) {
      if (!current.all.some(({ order }) => order.id === same.order.id)) await learn();
      return same.order;
    }
    checkSuits(wish, around);
    const at = now();
    const id = `O-${randomBytes(8).toString('hex')}`;
    const before = same?.before ?? beforeOf(wish);
    const { from, to } = before;
    const changed = from !== undefined && to !== undefined ? { changed: { from, to } } : {};
    const stored: StoredOrder = { order: { ...wish, id, by, at, ...changed }, effect, before };
    const replaces = same?.order.id;
    await record(
      orderEvent('order-given', stored.order, {
        at,
        by,
        more: { ...(replaces && { replaces }), ...changed.changed },
      }),
    );
    own.add(id);
    if (replaces !== undefined) own.add(replaces);
    try {
      const put = await store.put(stored, replaces);
      await learn();
      // Another gateway was quicker: its measure holds, and the log says that this one never did.
      if (put.order.id !== id)
        await record(
          orderEvent('order-failed', stored.order, { at: now(), by, more: { instead: put.order.id } }),
        );
      else if (same === undefined) await carryOut(stored, by);
      return put.order;
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      await record(orderEvent('order-failed', stored.order, { at: now(), by, more: { why } })).catch(
        () => {},
      );
      throw thrown;
    } finally {
      own.delete(id);
      if (replaces !== undefined) own.delete(replaces);
    }
  };
  /** What could not be done is not in force. */
  const carryOut = async (stored: StoredOrder, by: string): Promise<void> => {
    await tellRegistries(stored.order, true, by);
    if (stored.order.measure !== 'rollback') return;
    const status = () => around.models().find(({ model }) => model === stored.order.target.model);
    try {
      await settle(stored, true, by);
      const { use, versions } = status()!;
      if (versions.find(({ version }) => version === use)?.digest !== stored.before.toDigest)
        throw new GlacisError('option/invalid', 'rollback: the model has changed meanwhile');
    } catch (thrown) {
      own.add(stored.order.id);
      await store.end(stored.order.id, now(), GLACIS);
      await learn();
      throw thrown;
    }
  };
  const lift = async (id: string, by: string): Promise<Order> => {
    const stored = await store.find(id);
    if (stored === undefined)
      throw new GlacisError('option/invalid', 'order: expected the id of one, got another');
    if (stored.order.ended !== undefined) return stored.order;
    const at = now();
    await record(orderEvent('order-lifted', stored.order, { at, by }));
    own.add(id);
    try {
      const isFirst = await store.end(id, at, by);
      await learn();
      await settleQuietly(stored, false);
      if (isFirst) await tellRegistries(stored.order, false, by);
    } finally {
      own.delete(id);
    }
    return (await store.find(id))?.order ?? { ...stored.order, ended: at, endedBy: by };
  };

  return {
    calls: { route: (found) => current.route(found), about: (...call) => current.about(...call) },
    frozen() {
      const found = current.frozen;
      if (found === undefined) return undefined;
      const { id, at, because } = found.order;
      return { order: id, since: at, because, served: found.before.served ?? {} };
    },
    against(wish) {
      try {
        checkSuits(wish, around);
        beforeOf(wish);
        return undefined;
      } catch (thrown) {
        return thrown instanceof Error ? thrown.message : String(thrown);
      }
    },
    active: () =>
      current.all.map(({ order }) => order).filter(({ until }) => until === undefined || now() < until),
    async list(query) {
      return (await store.list(query)).map(({ order }) => order);
    },
    order: (wish, by) => inTurn(() => order(wish, by)),
    lift: (id, by) => inTurn(() => lift(id, by)),
    start() {
      started = true;
      lookAgain();
    },
    get problem() {
      return problem;
    },
    onChange(heard) {
      listeners.add(heard);
      return () => listeners.delete(heard);
    },
    refresh: () => inTurn(look),
    async close() {
      closed = true;
      clearInterval(timer);
      await turn;
    },
  };
}

/** Whether a measure in force lasts at least as long as is wished. */
function lastsAsLong({ until }: Order, wish: OrderWish): boolean {
  return until === undefined || (wish.until !== undefined && wish.until <= until);
}

/** Whether another measure with the same effect took its place. */
function isReplaced({ effect }: StoredOrder, all: readonly StoredOrder[]): boolean {
  return all.some((other) => other.effect === effect);
}
