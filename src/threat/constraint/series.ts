import type { Constraint } from '../constraint.ts';
import { largest } from './ball.ts';
import { inOrder, mendOrders } from './candles.ts';
import { boxRegion, changeOf, fix, keepLargest, type Region } from './region.ts';
import { holds, widened } from './relation.ts';
import { constraintOf } from './row-rule.ts';
import type { SeriesRules, SeriesSchema } from './series-schema.ts';
import { settle } from './settle.ts';
import { type Feed, isReplayed, replay } from './stale.ts';
import { type ScaledRules, scaledRules } from './window-scale.ts';

/**
 * Windows of a time series stay believable: only the last points change, none by too much, prices stay positive, candles consistent,
 * jumps and returns between neighbours bounded; or a feed repeats earlier points (`stale`). Where the clean series itself jumps
 * farther or has a broken candle, an example may go as far as it does there, and no farther.
 *
 * Projection: the `maxPoints` steps of greatest change are kept (with L0 the elements), the rest is `settle`; with `stale`, points
 * are replaced by the nearest earlier ones. A near point, not always the nearest; the clean row where none is found.
 * Errors: `option/invalid` (contradictions), `data/mismatch` (the shape of a sample does not fit).
 *
 * @example
 * const prices = series({ layout: 'time-first', last: 5, columns: [{ name: 'close', positive: true, maxReturn: 0.1 }] }, [60, 1]);
 */
export function series(schema: SeriesSchema, sampleShape: readonly number[]): Constraint {
  const scaled = scaledRules(schema, sampleShape);
  const { any } = scaled;
  const { steps, first, at } = any;
  const { maxPoints, stale } = schema;
  const width = schema.columns.length;
  const feeds = any.feeds.map(
    (columns): Feed => Array.from({ length: steps }, (_, t) => columns.map((c) => at(t, c))),
  );
  const fed = new Set(any.feeds.flat());
  let whole: ScaledRules | undefined;
  return constraintOf({
    id: 'series',
    title: titleOf(schema, any),
    length: steps * width,
    free: freeElements(any, width),
    move(row, clean, ball, accepts) {
      const rules = scaled.of(clean);
      if (typeof rules === 'string') return;
      const { elements, levels, relations, orders } = rules;
      const region: Region = {
        ...boxRegion(elements, clean, ball),
        relations: relations.map((relation) => widened(relation, clean)),
      };
      for (let t = 0; t < first; t++) for (let c = 0; c < width; c++) fix(region, at(t, c));
      if (stale) {
        replay(row, region, feeds, first, stale.maxDelay, accepts);
        return;
      }
      if (maxPoints !== undefined) keepSteps(row, region, rules, maxPoints);
      if (ball.norm === 'l0') keepLargest(row, region, levels, Math.floor(ball.eps));
      settle(row, region, levels, accepts, (x) => mendOrders(orders, x, region));
    },
    violation(row, clean) {
      const rules = scaled.of(clean);
      if (typeof rules === 'string') return rules;
      const { elements, relations, orders } = rules;
      let points = 0;
      for (let t = 0; t < steps; t++) {
        let changed = false;
        for (let c = 0; c < width; c++) {
          const i = at(t, c);
          const found = elements[i]!.violation(row[i]!, clean[i]!);
          if (found !== undefined) return `step ${t}: ${found}`;
          if (row[i] === clean[i]) continue;
          changed = true;
          if (stale && !fed.has(c)) return `step ${t}: ${elements[i]!.name} changed, which is in no feed`;
        }
        if (changed) points++;
        if (changed && t < first) return `step ${t} changed, before the last ${schema.last}`;
      }
      if (maxPoints !== undefined && points > maxPoints)
        return `${points} steps changed, more than ${maxPoints}`;
      if (stale && !feeds.every((feed) => isReplayed(row, clean, feed, first, stale.maxDelay)))
        return `a point is none of the last ${stale.maxDelay} before it`;
      const order = orders.find((pair) => !inOrder(pair, row, clean));
      if (order)
        return `${elements[order[0]]!.name} is above ${elements[order[1]]!.name}: the candle does not hold`;
      const broken = relations.find((relation) => !holds(widened(relation, clean), row, clean));
      return broken && `${broken.title} does not hold`;
    },
    impossible(row) {
      // A sample's own steps all count, whichever of them an attacker might change.
      whole ??= scaledRules({ ...schema, last: undefined }, sampleShape);
      const rules = whole.of(row);
      if (typeof rules === 'string') return rules;
      const { elements } = rules;
      for (const [i, rule] of elements.entries()) {
        const found = rule.violation(row[i]!, row[i]!);
        if (found !== undefined) return found;
      }
      const order = rules.orders.find(([low, high]) => row[low]! > row[high]!);
      if (order)
        return `${elements[order[0]]!.name} is above ${elements[order[1]]!.name}: the candle does not hold`;
      const broken = rules.relations.find((relation) => !holds(relation, row, row));
      return broken && `${broken.title} does not hold`;
    },
  });
}

/** Fixes all but the `count` steps of greatest change. */
function keepSteps(
  row: Float32Array,
  region: Region,
  { steps, at, elements, levels }: SeriesRules,
  count: number,
): void {
  const width = elements.length / steps;
  const sizes = new Float64Array(steps);
  for (let t = 0; t < steps; t++)
    for (let c = 0; c < width; c++) sizes[t] = sizes[t]! + changeOf(row, region, levels, at(t, c)) ** 2;
  for (const t of largest(sizes, steps).slice(count)) for (let c = 0; c < width; c++) fix(region, at(t, c));
}

function titleOf({ last, maxPoints, candles = [], stale }: SeriesSchema, { steps }: SeriesRules): string {
  const parts = [
    last !== undefined && last < steps ? `the last ${last} of ${steps} steps` : `${steps} steps`,
    ...(maxPoints !== undefined ? [`at most ${maxPoints} changed`] : []),
    ...(candles.length > 0 ? ['consistent candles'] : []),
    ...(stale ? [`points replaced by earlier ones, up to ${stale.maxDelay} steps old`] : []),
  ];
  return `a believable series (${parts.join(', ')})`;
}

/** The elements of the last points whose column may change. */
function freeElements({ steps, first, at, elements }: SeriesRules, width: number): Uint8Array {
  const free = new Uint8Array(steps * width);
  for (let t = first; t < steps; t++)
    for (let c = 0; c < width; c++) free[at(t, c)] = elements[at(t, c)]!.isFixed ? 0 : 1;
  return free;
}
