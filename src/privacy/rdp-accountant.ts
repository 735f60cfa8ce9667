import { GlacisError } from '../core/error.ts';
import type { PrivateRun } from './private-run.ts';
import { renyiOfStep } from './renyi.ts';

/** The orders that the RDP accountant tries: 1.1 to 10.9 by tenths, 11 to 63, 128, 256, 512, 1024. */
export const RDP_ORDERS: readonly number[] = [
  ...Array.from({ length: 99 }, (_, i) => (11 + i) / 10),
  ...Array.from({ length: 53 }, (_, i) => 11 + i),
  128,
  256,
  512,
  1024,
];

/** An epsilon (or delta) by the RDP accountant, with the order that gave it. */
export interface RdpBound {
  readonly value: number;
  readonly order: number;
}

/** Checks orders. Errors: `option/invalid` for none, more than 1,000, or one outside (1, 10⁵]. */
export function checkOrders(orders: readonly number[]): void {
  if (orders.length === 0 || orders.length > 1000)
    throw new GlacisError('option/invalid', `orders: expected 1 to 1000 of them, got ${orders.length}`);
  for (const order of orders)
    if (!(order > 1 && order <= 1e5))
      throw new GlacisError('option/invalid', `orders: expected numbers above 1, at most 1e5, got ${order}`);
}

/** Rényi divergences of all `runs` together, one an order: divergences of the same order add up. */
export function rdpCurve(runs: readonly PrivateRun[], orders: readonly number[]): readonly number[] {
  return orders.map((alpha) =>
    runs.reduce((sum, { rate, noise, steps }) => sum + steps * renyiOfStep(rate, noise, alpha), 0),
  );
}

/**
 * The least epsilon that Rényi divergences `curve` at `orders` promise at `delta`: for each order
 * `rdp + log((α−1)/α) − (log δ + log α)/(α−1)` (Canonne, Kamath and Steinke 2020, proposition 12), or 0 where
 * `δ² > 1 − e^(−rdp)` (Bretagnolle and Huber), whichever is least.
 */
export function epsilonFromRdp(curve: readonly number[], orders: readonly number[], delta: number): RdpBound {
  return least(orders, (alpha, i) =>
    delta * delta > -Math.expm1(-curve[i]!)
      ? 0
      : curve[i]! + Math.log1p(-1 / alpha) - (Math.log(delta) + Math.log(alpha)) / (alpha - 1),
  );
}

/**
 * The least delta that Rényi divergences `curve` at `orders` promise at `epsilon`; the same formula, solved for delta. Tiny
 * ones may underflow to 0: the bound is then below 5e-324.
 */
export function deltaFromRdp(curve: readonly number[], orders: readonly number[], epsilon: number): RdpBound {
  return least(orders, (alpha, i) => {
    const byOrder = Math.exp((alpha - 1) * (curve[i]! - epsilon + Math.log1p(-1 / alpha)) - Math.log(alpha));
    return Math.min(1, byOrder, Math.sqrt(-Math.expm1(-curve[i]!)));
  });
}

function least(orders: readonly number[], value: (alpha: number, i: number) => number): RdpBound {
  let best: RdpBound = { value: Number.POSITIVE_INFINITY, order: orders[0]! };
  for (const [i, order] of orders.entries()) {
    const found = value(order, i);
    if (found < best.value) best = { value: found, order };
  }
  return { ...best, value: Math.max(0, best.value) };
}
