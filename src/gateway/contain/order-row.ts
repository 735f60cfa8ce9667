import { createHash } from 'node:crypto';
import type { Order, OrderWish } from '../../incident/order.ts';
import type { OrderRow } from '../../store/index.ts';

/** What was there before a measure, so that it can be taken back, and what it rests on. */
export interface Before {
  /** Of `rollback`: versions and digests on both sides. */
  readonly from?: string;
  readonly to?: string;
  readonly fromDigest?: string;
  readonly toDigest?: string;
  /** Of `freeze`: digests in service, by model. */
  readonly served?: Readonly<Record<string, readonly string[]>>;
}

/** A measure in force, with what its gateway must know of it. */
export interface StoredOrder {
  readonly order: Order;
  readonly effect: string;
  readonly before: Before;
}

/** What a wish does and to whom, whatever the reason and the end: two wishes with one effect are the same measure. */
export function effectOf({ measure, target, perMinute, detail, guard }: OrderWish): string {
  const { principal, tenant, credential, address, model } = target;
  const whom = [principal, tenant, credential, address, model].map((each) => each ?? null);
  const how = [
    perMinute ?? null,
    measure === 'degrade' ? (detail ?? 'label') : null,
    guard ? [guard.name, guard.strictness, guard.action ?? null] : null,
  ];
  return createHash('sha256')
    .update(JSON.stringify([measure, whom, how]))
    .digest('hex');
}

/** The row of a measure. */
export function rowFrom({ order, effect, before }: StoredOrder): OrderRow {
  const { id, measure, at, until, ended, endedBy, changed: _, ...rest } = order;
  return {
    id,
    effect,
    measure,
    case_id: order.case ?? null,
    at,
    until: until ?? null,
    wish: JSON.stringify(rest),
    changed: Object.keys(before).length > 0 ? JSON.stringify(before) : null,
    ended: ended ?? null,
    // A text without NUL, which PostgreSQL cannot hold.
    ended_by: endedBy === undefined ? null : JSON.stringify(endedBy),
  };
}

/** The measure in a row. */
export function orderFrom(row: OrderRow): StoredOrder {
  const before = row.changed === null ? {} : (JSON.parse(row.changed) as Before);
  const { from, to } = before;
  const rest = JSON.parse(row.wish) as Omit<Order, 'id' | 'measure' | 'at'>;
  const order: Order = {
    ...rest,
    id: row.id,
    measure: row.measure as Order['measure'],
    at: row.at,
    ...(row.until !== null && { until: row.until }),
    ...(row.ended !== null && { ended: row.ended }),
    ...(row.ended_by !== null && { endedBy: JSON.parse(row.ended_by) as string }),
    ...(from !== undefined && to !== undefined && { changed: { from, to } }),
  };
  return { order, effect: row.effect, before };
}
