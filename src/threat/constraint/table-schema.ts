import { GlacisError } from '../../core/error.ts';
import { type Column, type ColumnRule, columnRule } from './column.ts';
import { type Product, productOf, type TableProduct } from './product.ts';
import type { Cost } from './region.ts';
import type { Relation } from './relation.ts';

/** A column of a table. */
export interface TableColumn extends Column {
  /**
   * `integer` is a step of 1; `boolean` is 0 or 1. Unless given: `boolean` in a one-hot group, `real` elsewhere.
   */
  readonly type?: 'real' | 'integer' | 'boolean' | undefined;
  /** What a change by 1 costs, in the owner's units; 0 unless given. See {@link TableSchema.maxCost}. */
  readonly cost?: number | undefined;
}

/** A linear relation between columns, in the owner's units: the sum `equals`, or lies between `atLeast` and `atMost`. */
export interface TableRelation {
  /** Column number and factor. */
  readonly terms: readonly (readonly [number, number])[];
  readonly equals?: number | undefined;
  readonly atLeast?: number | undefined;
  readonly atMost?: number | undefined;
  /**
   * How far a row may miss it; then clean rows must satisfy it too. Without, an example may miss it as far as its clean row does,
   * because the values of real tables are rounded.
   */
  readonly tolerance?: number | undefined;
}

/** What rows of a table may be. */
export interface TableSchema {
  /** One for each value of a row. */
  readonly columns: readonly TableColumn[];
  /** Groups of columns of which exactly one is 1 and the others are 0. */
  readonly oneHot?: readonly (readonly number[])[] | undefined;
  readonly relations?: readonly TableRelation[] | undefined;
  readonly products?: readonly TableProduct[] | undefined;
  /** The most that all changes may cost together. */
  readonly maxCost?: number | undefined;
}

/** A schema that was checked, in the model's input units. */
export interface TableRules {
  readonly columns: readonly ColumnRule[];
  readonly oneHot: readonly (readonly number[])[];
  readonly relations: readonly Relation[];
  readonly products: readonly Product[];
  readonly cost?: Cost | undefined;
  readonly title: string;
}

/** Checks a schema. Errors: `option/invalid` (contradictions, numbers out of range, unknown columns). */
export function tableRules(schema: TableSchema): TableRules {
  const { columns, oneHot = [], maxCost } = schema;
  checkGroups(oneHot, columns.length);
  const grouped = new Set(oneHot.flat());
  const rules = columns.map((column, i) => {
    return columnRule(typed(column, i, grouped.has(i)), i);
  });
  return {
    columns: rules,
    oneHot,
    relations: (schema.relations ?? []).map((relation, i) =>
      relationOf(relation, rules, `relation ${i + 1}`),
    ),
    products: (schema.products ?? []).map((product, i) => productOf(product, rules, `product ${i + 1}`)),
    cost: costOf(columns, rules, maxCost),
    title: titleOf(schema),
  };
}

/** The column with what its type means. */
function typed(column: TableColumn, number: number, grouped: boolean): Column {
  const { type = grouped ? 'boolean' : 'real', cost: _, ...rest } = column;
  const refuse = (wanted: string, got: string) => {
    throw new GlacisError(
      'option/invalid',
      `${column.name ?? `column ${number}`}: expected ${wanted}, got ${got}`,
    );
  };
  if (grouped && type !== 'boolean') refuse('boolean columns in a one-hot group', type);
  if (type === 'real') return rest;
  if (rest.step !== undefined) refuse(`type ${type} without a step`, 'both');
  if (type === 'integer') return { ...rest, step: 1 };
  if ((rest.min ?? rest.max) !== undefined) refuse('type boolean without a range', 'both');
  return { ...rest, step: 1, min: 0, max: 1 };
}

function checkGroups(groups: readonly (readonly number[])[], width: number): void {
  const seen = new Set<number>();
  for (const group of groups) {
    if (group.length < 2)
      throw new GlacisError('option/invalid', 'oneHot: expected groups of at least two columns, got fewer');
    for (const i of group) {
      if (!isColumn(i, width))
        throw new GlacisError('option/invalid', `oneHot: expected column numbers below ${width}, got ${i}`);
      if (seen.has(i))
        throw new GlacisError('option/invalid', `oneHot: expected each column once, got column ${i} twice`);
      seen.add(i);
    }
  }
}

/** The relation in input units: `Σ a · (x std + mean)` lies between two numbers. */
function relationOf(given: TableRelation, rules: readonly ColumnRule[], where: string): Relation {
  const { terms, equals, atLeast, atMost, tolerance = 0 } = given;
  const refuse = (wanted: string) => {
    throw new GlacisError('option/invalid', `${where}: expected ${wanted}, got something else`);
  };
  if (
    terms.length === 0 ||
    !terms.every(([i, a]) => isColumn(i, rules.length) && Number.isFinite(a) && a !== 0)
  )
    refuse('columns of the table with finite factors other than 0');
  if (new Set(terms.map(([i]) => i)).size !== terms.length) refuse('each of its columns once');
  const hasLimits = (atLeast ?? atMost) !== undefined;
  if ((equals !== undefined) === hasLimits) refuse('equals, or atLeast and atMost');
  const from = equals ?? atLeast ?? Number.NEGATIVE_INFINITY;
  const to = equals ?? atMost ?? Number.POSITIVE_INFINITY;
  if (!(from <= to) || from === Number.POSITIVE_INFINITY || to === Number.NEGATIVE_INFINITY)
    refuse('atLeast up to atMost');
  if (!(Number.isFinite(tolerance) && tolerance >= 0)) refuse('a tolerance of at least 0');
  const shift = terms.reduce((sum, [i, a]) => sum + a * rules[i]!.scale.mean, 0);
  return {
    at: terms.map(([i]) => i),
    by: terms.map(([i, a]) => a * rules[i]!.scale.std),
    low: from - shift - tolerance,
    high: to - shift + tolerance,
    title: `${where} (${terms.map(([i]) => rules[i]!.name).join(', ')})`,
    strict: given.tolerance !== undefined,
  };
}

function costOf(
  columns: readonly TableColumn[],
  rules: readonly ColumnRule[],
  maxCost: number | undefined,
): Cost | undefined {
  const costs = columns.map(({ cost = 0 }) => cost);
  if (!costs.every((c) => Number.isFinite(c) && c >= 0) || !((maxCost ?? 0) >= 0))
    throw new GlacisError(
      'option/invalid',
      'cost: expected costs and maxCost of at least 0, got another value',
    );
  if (maxCost === undefined) return undefined;
  return { weights: Float64Array.from(costs, (c, i) => c * rules[i]!.scale.std), budget: maxCost };
}

function titleOf({ columns, oneHot = [], relations = [], products = [], maxCost }: TableSchema): string {
  const fixed = columns.filter((c) => c.immutable).length;
  const parts = [
    `columns: ${columns.length}`,
    ...(fixed > 0 ? [`immutable: ${fixed}`] : []),
    ...(oneHot.length > 0 ? [`one-hot groups: ${oneHot.length}`] : []),
    ...(relations.length > 0 ? [`linear relations: ${relations.length}`] : []),
    ...(products.length > 0 ? [`products: ${products.length}`] : []),
    ...(maxCost !== undefined ? [`costs: up to ${maxCost}`] : []),
  ];
  return `a possible row of the table (${parts.join(', ')})`;
}

function isColumn(i: number, width: number): boolean {
  return Number.isInteger(i) && i >= 0 && i < width;
}
