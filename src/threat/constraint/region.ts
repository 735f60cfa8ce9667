import type { Ball } from '../norm.ts';
import { boundsOf, largest } from './ball.ts';
import type { ColumnRule } from './column.ts';
import { type Levels, levelNear } from './levels.ts';
import type { Relation } from './relation.ts';

/** Changes cost: `Σ weights[i] · |x[i] − clean[i]| ≤ budget`. */
export interface Cost {
  readonly weights: Float64Array;
  readonly budget: number;
}

/** Where the examples of one clean row may lie, apart from levels: a convex set that holds the clean row. In input units. */
export interface Region {
  readonly clean: Float32Array;
  /** Least and greatest value of each element. Equal ones fix it; then the clean value may be another. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly relations: readonly Relation[];
  readonly ball: Ball;
  readonly cost?: Cost | undefined;
}

/** The region without relations: what columns, bounds and an Linf ball allow of each element; `columnOf[i]` rules element `i`. */
export function boxRegion(columnOf: readonly ColumnRule[], clean: Float32Array, ball: Ball): Region {
  const [least, most] = boundsOf(ball);
  const reach = ball.norm === 'linf' ? ball.eps : Number.POSITIVE_INFINITY;
  const low = new Float64Array(clean.length);
  const high = new Float64Array(clean.length);
  for (const [i, rule] of columnOf.entries()) {
    const c = clean[i]!;
    const [from, to] = rule.interval(c);
    low[i] = Math.min(c, Math.max(from, least, c - reach));
    high[i] = Math.max(c, Math.min(to, most, c + reach));
  }
  return { clean, low, high, relations: [], ball };
}

/** A copy whose limits can be changed alone. */
export function copyOf(region: Region): Region {
  return { ...region, low: region.low.slice(), high: region.high.slice() };
}

/** Fixes element `i` at `value`, its clean value unless given. */
export function fix(region: Region, i: number, value: number = region.clean[i]!): void {
  region.low[i] = value;
  region.high[i] = value;
}

/** How far `row` would move element `i` from its clean value, within the limits and on its levels. */
export function changeOf(
  row: Float32Array,
  { clean, low, high }: Region,
  levels: readonly (Levels | undefined)[],
  i: number,
): number {
  const value = Math.min(high[i]!, Math.max(low[i]!, row[i]!));
  const own = levels[i];
  return (own ? levelNear(own, value, clean[i]!, low[i]!, high[i]!) : value) - clean[i]!;
}

/** Fixes all but the `count` elements that `row` would change most. */
export function keepLargest(
  row: Float32Array,
  region: Region,
  levels: readonly (Levels | undefined)[],
  count: number,
): void {
  const d = Float64Array.from(row, (_, i) => changeOf(row, region, levels, i));
  for (const i of largest(d, d.length).slice(Math.max(0, count))) fix(region, i);
}
