import { GlacisError } from '../core/error.ts';
import type { Alarm } from '../monitor/alarm.ts';
import type { Store } from '../store/index.ts';
import type { IncidentChange } from './change.ts';
import { type IncidentsConfig, incidentsSchema } from './config-schema.ts';
import type { LedgerEvent } from './ledger-event.ts';
import { type Incidents, openIncidents } from './open-incidents.ts';
import type { Containment, Order, OrderWish } from './order.ts';

/** A day to begin at. */
export const START = Date.UTC(2026, 10, 22, 9);

/** Ids that count: 32 hexadecimal digits. */
export function countingIds(prefix = 'a'): () => string {
  let n = 0;
  return () => `${prefix}${String(++n).padStart(31, '0')}`;
}

/** Measures in memory, as the contract has them. */
export function memoryContainment(
  now: () => number,
): Containment & { readonly orders: Order[]; fails?: GlacisError; impossible?: OrderWish['measure'] } {
  const orders: Order[] = [];
  const freshId = countingIds('f');
  const same = (order: Order, wish: OrderWish) =>
    order.ended === undefined &&
    order.measure === wish.measure &&
    JSON.stringify(order.target) === JSON.stringify(wish.target);
  const held: ReturnType<typeof memoryContainment> = {
    orders,
    against: ({ measure }) => (measure === held.impossible ? `${measure}: cannot be done here` : undefined),
    active: () => orders.filter(({ ended }) => ended === undefined),
    list: async ({ case: of, most = 100 }) =>
      orders.filter((order) => of === undefined || order.case === of).slice(0, most),
    async order(wish, by) {
      if (held.fails) throw held.fails;
      const there = orders.find((order) => same(order, wish));
      if (there) return there;
      const order: Order = { ...wish, id: freshId(), by, at: now() };
      orders.unshift(order);
      return order;
    },
    async lift(id, by) {
      const i = orders.findIndex((order) => order.id === id && order.ended === undefined);
      if (i < 0) throw new GlacisError('option/invalid', 'order: there is none');
      orders[i] = { ...orders[i]!, ended: now(), endedBy: by };
      return orders[i]!;
    },
  };
  return held;
}

/** Incidents with everything that they stand on in memory, except the store. */
export interface Desk {
  readonly incidents: Incidents;
  readonly ledger: LedgerEvent[];
  readonly changes: IncidentChange[];
  readonly containment: ReturnType<typeof memoryContainment>;
  readonly failures: unknown[];
  /** The time, to be set. */
  at: number;
  /** Makes the log refuse. */
  broken: boolean;
}

/** Opens a desk over a store. */
export function openDesk(store: Store, config: object = {}, ids = countingIds(), sealed = false): Desk {
  const ledger: LedgerEvent[] = [];
  const changes: IncidentChange[] = [];
  const failures: unknown[] = [];
  const now = () => desk.at;
  const containment = memoryContainment(now);
  const desk: Desk = {
    ...{ ledger, changes, containment, failures, at: START, broken: false },
    incidents: openIncidents(readIncidents(config), {
      ...{ store, containment, now, freshId: ids, sealed },
      async record(event) {
        if (desk.broken) throw new GlacisError('output/unwritable', 'the log: the disk is full');
        return ledger.push(event) - 1;
      },
      notify: (change) => changes.push(change),
      failed: (_where, thrown) => failures.push(thrown),
    }),
  };
  return desk;
}

/** A section `serve.incidents`. */
export function readIncidents(config: object): IncidentsConfig {
  return incidentsSchema.parse(config);
}

const freshAlarm = countingIds('b');

/** An alarm about mallory, with what is different. */
export function alarmOf(over: Partial<Alarm> = {}): Alarm {
  return {
    id: freshAlarm(),
    at: START,
    monitor: 'extraction',
    kind: 'attack',
    severity: 'medium',
    model: 'signs',
    version: '1',
    principals: ['mallory'],
    subject: 'extraction of signs by mallory',
    title: 'mallory is copying signs',
    why: 'its questions cover the whole input space evenly',
    score: 3,
    threshold: 2,
    first: START - 60_000,
    last: START,
    queries: 400,
    decisions: ['0'.repeat(32)],
    atlas: ['AML.T0024'],
    figures: { coverage: 0.9 },
    ...over,
  };
}
