import type { Scale } from './levels.ts';
import type { Region } from './region.ts';
import type { Relation } from './relation.ts';

/** The columns of one instrument's candles, by number. */
export interface Candle {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
}

/** Two elements of a row of which the first is at most the second. */
export type Order = readonly [number, number];

/** `low ≤ min(open, close)` and `high ≥ max(open, close)` at every step, as pairs; `at(step, column)` is an element's number. */
export function ordersOf(
  candle: Candle,
  steps: readonly number[],
  at: (step: number, column: number) => number,
): Order[] {
  const { open, high, low, close } = candle;
  return steps.flatMap((t): Order[] =>
    (
      [
        [low, open],
        [low, close],
        [open, high],
        [close, high],
      ] as const
    ).map(([a, b]) => [at(t, a), at(t, b)]),
  );
}

/** An order as a relation, where the two columns have scales of their own. */
export function orderRelation(
  [a, b]: Order,
  [first, second]: readonly [Scale, Scale],
  title: string,
): Relation {
  return {
    at: [a, b],
    by: [first.std, -second.std],
    low: Number.NEGATIVE_INFINITY,
    high: second.mean - first.mean,
    title,
  };
}

/** Whether an order holds exactly, or as far as the clean row does. Only for elements of one scale. */
export function inOrder([a, b]: Order, x: Float32Array, clean: Float32Array): boolean {
  return x[a]! - x[b]! <= Math.max(0, clean[a]! - clean[b]!);
}

/**
 * Repairs orders that rounding to float32 broke: one of the two takes the value of the other where its limits allow. Twice in turn,
 * because an element has several orders.
 */
export function mendOrders(orders: readonly Order[], x: Float32Array, { clean, low, high }: Region): void {
  for (let round = 0; round < 2; round++) {
    for (const order of orders) {
      const [a, b] = order;
      if (inOrder(order, x, clean) || clean[a]! > clean[b]!) continue;
      if (x[b]! >= low[a]!) x[a] = x[b]!;
      else if (x[a]! <= high[b]!) x[b] = x[a]!;
    }
  }
}
