import { GlacisError } from '../../core/error.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { type Candle, type Order, orderRelation, ordersOf } from './candles.ts';
import { type Column, type ColumnRule, columnRule, percent } from './column.ts';
import type { Levels } from './levels.ts';
import type { Relation } from './relation.ts';

/** A column of a series: what each of its points may be, and how it may move from one point to the next. */
export interface SeriesColumn extends Column {
  /** The most between two neighbouring points, in the owner's units. */
  readonly maxJump?: number | undefined;
  /** The most between two neighbouring points as a share of the earlier one (0.1: a return of ±10 %); for positive columns. */
  readonly maxReturn?: number | undefined;
  /** The column that holds the mean that the window was standardised with, the same at every step, instead of `mean`. */
  readonly meanColumn?: number | undefined;
  /** The column that holds its standard deviation, instead of `std`. */
  readonly stdColumn?: number | undefined;
}

/** A threat in which a feed repeats itself: each point that changes takes the place of an earlier one. */
export interface Stale {
  /** How many steps back a point may come from. */
  readonly maxDelay: number;
  /** Groups of columns that come together; all columns are one feed unless given. Columns of no feed must not change. */
  readonly feeds?: readonly (readonly number[])[] | undefined;
}

/** What the rows of a series may be: each row is a window of steps, the last one the most recent. */
export interface SeriesSchema {
  readonly columns: readonly SeriesColumn[];
  /** Whether a row is `[steps, columns]` or `[columns, steps]`. */
  readonly layout: 'time-first' | 'columns-first';
  /** Only so many of the last steps may change; all unless given. */
  readonly last?: number | undefined;
  /** At most so many steps may change. */
  readonly maxPoints?: number | undefined;
  readonly candles?: readonly Candle[] | undefined;
  readonly stale?: Stale | undefined;
}

/** A schema that was checked, with the elements of a row. */
export interface SeriesRules {
  /** Steps of a row. */
  readonly steps: number;
  /** The first step that may change. */
  readonly first: number;
  /** Number of the element of a step and column. */
  at(step: number, column: number): number;
  /** The rule of each element. */
  readonly elements: readonly ColumnRule[];
  /** The levels of each element that has some. */
  readonly levels: readonly (Levels | undefined)[];
  /** Jumps, returns and all orders, where elements that may change take part. */
  readonly relations: readonly Relation[];
  /** Orders of elements with equal scales: these hold exactly, not only up to rounding. */
  readonly orders: readonly Order[];
  readonly feeds: readonly (readonly number[])[];
}

/**
 * Checks a schema against the shape of a sample (axes of size 1 do not count; a flat sample has the layout's order).
 * Errors: `option/invalid` (contradictions), `data/mismatch` (the shape does not fit).
 */
export function seriesRules(schema: SeriesSchema, sampleShape: readonly number[]): SeriesRules {
  const { columns, layout, candles = [], last, maxPoints, stale } = schema;
  const width = columns.length;
  const steps = stepsOf(width, layout, sampleShape);
  whole('last', last, 1);
  whole('maxPoints', maxPoints, 0);
  whole('stale.maxDelay', stale?.maxDelay, 1);
  const feeds = stale ? (stale.feeds ?? [columns.map((_, i) => i)]) : [];
  checkColumns('stale.feeds', feeds, width);
  checkColumns(
    'candles',
    candles.map(({ open, high, low, close }) => [open, high, low, close]),
    width,
  );
  const rules = columns.map((column, i) => {
    const rule = columnRule(column, i);
    checkMoves(column, rule.name);
    return rule;
  });
  const at = (step: number, column: number) =>
    layout === 'time-first' ? step * width + column : column * steps + step;
  const first = Math.max(0, steps - (last ?? steps));
  const elements = new Array<ColumnRule>(steps * width);
  for (let t = 0; t < steps; t++) for (const [c, rule] of rules.entries()) elements[at(t, c)] = rule;
  const changing = Array.from({ length: steps - first }, (_, i) => first + i);
  const relations = columns.flatMap((column, c) =>
    changing.flatMap((t) => (t === 0 ? [] : movesOf(column, rules[c]!, at(t, c), at(t - 1, c)))),
  );
  const orders = candles.flatMap((candle) => ordersOf(candle, changing, at));
  const exact = ([a, b]: Order) => {
    const [x, y] = [elements[a]!.scale, elements[b]!.scale];
    return x.mean === y.mean && x.std === y.std;
  };
  for (const order of orders) {
    const [a, b] = [elements[order[0]]!, elements[order[1]]!];
    // Exact ones are relations too, so that the projection knows them.
    relations.push(orderRelation(order, [a.scale, b.scale], `${a.name} is above ${b.name}: the candle`));
  }
  const levels = elements.map((rule) => rule.levels);
  return { steps, first, at, elements, levels, relations, orders: orders.filter(exact), feeds };
}

function stepsOf(width: number, layout: SeriesSchema['layout'], sampleShape: readonly number[]): number {
  const total = elementCount(sampleShape);
  const steps = total / width;
  const wanted = layout === 'time-first' ? [steps, width] : [width, steps];
  const plain = (dims: readonly number[]) => dims.filter((size) => size !== 1).join();
  if (Number.isInteger(steps) && steps >= 1 && [plain(wanted), String(total)].includes(plain(sampleShape)))
    return steps;
  const shape = layout === 'time-first' ? `[steps, ${width}]` : `[${width}, steps]`;
  throw new GlacisError(
    'data/mismatch',
    `series: expected samples ${shape}, as its ${width} columns and layout ${layout} say, got [${sampleShape.join(', ')}]`,
  );
}

/** Jump and return between an element and the one before it, as relations. */
function movesOf(
  { maxJump, maxReturn }: SeriesColumn,
  rule: ColumnRule,
  now: number,
  before: number,
): Relation[] {
  const { mean, std } = rule.scale;
  const relations: Relation[] = [];
  if (maxJump !== undefined)
    relations.push({
      at: [now, before],
      by: [1, -1],
      low: -maxJump / std,
      high: maxJump / std,
      title: `${rule.name} jumps by more than ${maxJump}: the bound`,
    });
  if (maxReturn !== undefined) {
    const title = `${rule.name} moves by more than ${percent(maxReturn)}: the bound`;
    // now ≤ (1 + r) before and now ≥ (1 − r) before, for values x · std + mean above 0.
    const shift = maxReturn * mean;
    relations.push(
      {
        at: [now, before],
        by: [std, -(1 + maxReturn) * std],
        low: Number.NEGATIVE_INFINITY,
        high: shift,
        title,
      },
      {
        at: [now, before],
        by: [std, -(1 - maxReturn) * std],
        low: -shift,
        high: Number.POSITIVE_INFINITY,
        title,
      },
    );
  }
  return relations;
}

function checkMoves({ maxJump, maxReturn, positive, min }: SeriesColumn, name: string): void {
  for (const [key, value] of Object.entries({ maxJump, maxReturn }))
    if (value !== undefined && !(Number.isFinite(value) && value >= 0))
      throw new GlacisError('option/invalid', `${name}: expected ${key} of at least 0, got another value`);
  if (maxReturn !== undefined && !positive && !((min ?? 0) > 0))
    throw new GlacisError('option/invalid', `${name}: expected positive with maxReturn, got maxReturn alone`);
}

function checkColumns(where: string, groups: readonly (readonly number[])[], width: number): void {
  const seen = new Set<number>();
  for (const i of groups.flat()) {
    if (!(Number.isInteger(i) && i >= 0 && i < width))
      throw new GlacisError('option/invalid', `${where}: expected column numbers below ${width}, got ${i}`);
    if (seen.has(i))
      throw new GlacisError('option/invalid', `${where}: expected each column once, got column ${i} twice`);
    seen.add(i);
  }
}

function whole(name: string, value: number | undefined, least: number): void {
  if (value !== undefined && !(Number.isInteger(value) && value >= least))
    throw new GlacisError(
      'option/invalid',
      `series: expected ${name} to be a whole number of at least ${least}, got ${value}`,
    );
}
