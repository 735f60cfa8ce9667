import { GlacisError } from '../../core/error.ts';
import type { ColumnRule } from './column.ts';
import type { Scale } from './levels.ts';
import { type Relation, ROUNDING } from './relation.ts';

/** A column that is the product of others, in the owner's units: a total is price × quantity, a debt is debt ratio × income. */
export interface TableProduct {
  /** Numbers of the columns that are multiplied; one that stands twice is squared. */
  readonly of: readonly number[];
  /** The column that holds the product. */
  readonly equals: number;
  /** What the product is multiplied by; 1 unless given. */
  readonly factor?: number | undefined;
  /**
   * How far a row may miss it, in the units of the column that holds the product; then clean rows must satisfy it too. Without, an example may miss it
   * as far as its clean row does, because the values of real tables are rounded.
   */
  readonly tolerance?: number | undefined;
}

/** A product that was checked; values are `x · std + mean`. */
export interface Product {
  readonly of: readonly number[];
  readonly equals: number;
  readonly factor: number;
  readonly tolerance: number;
  /** In words, for messages. */
  readonly title: string;
  /** Whether rows of real data must satisfy it; if not, an example may miss it as far as the clean row does. */
  readonly strict: boolean;
  /** Of every column of the row. */
  readonly scales: readonly Scale[];
}

/** Most columns of one product. */
const MOST = 8;

/** Checks a product of a table's columns; `where` names it in messages. Errors: `option/invalid`. */
export function productOf(given: TableProduct, rules: readonly ColumnRule[], where: string): Product {
  const { of, equals, factor = 1, tolerance = 0 } = given;
  const refuse = (wanted: string) => {
    throw new GlacisError('option/invalid', `${where}: expected ${wanted}, got something else`);
  };
  const isColumn = (i: number) => Number.isInteger(i) && i >= 0 && i < rules.length;
  if (of.length < 1 || of.length > MOST || ![...of, equals].every(isColumn))
    refuse(`1 to ${MOST} columns of the table, and one that equals their product`);
  if (of.includes(equals)) refuse('a column that equals the product and is none of its own');
  if (!Number.isFinite(factor) || factor === 0) refuse('a finite factor other than 0');
  if (!(Number.isFinite(tolerance) && tolerance >= 0)) refuse('a tolerance of at least 0');
  const names = of.map((i) => rules[i]!.name).join(' × ');
  return {
    of,
    equals,
    factor,
    tolerance,
    title: `${where} (${rules[equals]!.name} = ${factor === 1 ? '' : `${factor} × `}${names})`,
    strict: given.tolerance !== undefined,
    scales: rules.map(({ scale }) => scale),
  };
}

/** Whether the row's product is what it must be, up to rounding, the tolerance, or what the clean row misses it by. */
export function productHolds(product: Product, x: ArrayLike<number>, clean: ArrayLike<number>): boolean {
  const [low, high] = limitsOf(product, clean);
  const miss = missOf(product, x);
  const slack = slackOf(product, x);
  // Attacker-controlled: values so large that the product overflows must not hold by an infinite slack.
  return Number.isFinite(slack) && miss >= low - slack && miss <= high + slack;
}

/** The product as a linear relation that touches it at `point`: what it says of rows near there. */
export function tangentAt(product: Product, point: ArrayLike<number>, clean: ArrayLike<number>): Relation {
  const { equals, scales, title } = product;
  const [low, high] = limitsOf(product, clean);
  const slopes = slopesOf(product, point);
  // miss(x) ≈ miss(p) + Σ ∂miss/∂v (v(x) − v(p)), with v = x · std + mean.
  let shift = -missOf(product, point);
  const at: number[] = [];
  const by: number[] = [];
  for (const [i, slope] of [...slopes, [equals, -1] as const]) {
    const perInput = slope * scales[i]!.std;
    if (perInput === 0) continue;
    at.push(i);
    by.push(perInput);
    shift += perInput * point[i]!;
  }
  return { at, by, low: low + shift, high: high + shift, title, strict: true };
}

/** The input of column `i` with which the others' product is exact; for one that is squared a step towards it. */
export function valueIn(product: Product, x: ArrayLike<number>, i: number): number {
  const { mean, std } = product.scales[i]!;
  const slope = i === product.equals ? -1 : slopesOf(product, x).get(i)!;
  return (valueAt(product, x, i) - missOf(product, x) / slope - mean) / std;
}

/** How far `factor · Π of − equals` may be from 0 to either side. */
function limitsOf(product: Product, clean: ArrayLike<number>): readonly [number, number] {
  if (product.strict) return [-product.tolerance, product.tolerance];
  const miss = missOf(product, clean);
  return [Math.min(0, miss), Math.max(0, miss)];
}

/** `factor · Π of − equals`, in the owner's units. */
function missOf(product: Product, x: ArrayLike<number>): number {
  let value = product.factor;
  for (const i of product.of) value *= valueAt(product, x, i);
  return value - valueAt(product, x, product.equals);
}

/** How the product changes with each of its columns. */
function slopesOf(product: Product, x: ArrayLike<number>): ReadonlyMap<number, number> {
  const slopes = new Map<number, number>();
  for (const [k, i] of product.of.entries()) {
    let rest = product.factor;
    for (const [other, j] of product.of.entries()) if (other !== k) rest *= valueAt(product, x, j);
    slopes.set(i, (slopes.get(i) ?? 0) + rest);
  }
  return slopes;
}

/** How far the product may be missed because float32 rounds. */
function slackOf(product: Product, x: ArrayLike<number>): number {
  const size = (i: number) => {
    const { mean, std } = product.scales[i]!;
    return Math.abs(x[i]! * std) + Math.abs(mean);
  };
  let slack = size(product.equals);
  for (const [i, slope] of slopesOf(product, x)) slack += Math.abs(slope) * size(i);
  return ROUNDING * slack;
}

function valueAt({ scales }: Product, x: ArrayLike<number>, i: number): number {
  return x[i]! * scales[i]!.std + scales[i]!.mean;
}
