import type { Constraint } from '../constraint.ts';
import { apply, flipsOf, groupViolation } from './one-hot.ts';
import { productHolds } from './product.ts';
import { boxRegion, copyOf, fix, keepLargest, type Region } from './region.ts';
import { holds, widened } from './relation.ts';
import { constraintOf } from './row-rule.ts';
import { settleProducts } from './settle-products.ts';
import { type TableSchema, tableRules } from './table-schema.ts';

/**
 * Rows of a table stay possible: types, ranges and steps of the columns, columns that are fixed or only grow or shrink, one-hot
 * groups, linear relations, products of columns, and a budget of costs. Everything is in the owner's units, which `mean` and `std` of a column
 * connect with what the model sees.
 *
 * Projection: one-hot groups take the greatest of their columns, the clearest first, where ball and budget have room; the rest is
 * `settleProducts`. A near point, not always the nearest; the clean row where none is found. Errors: `option/invalid` (contradictions).
 *
 * @example
 * const credit = tabular({
 *   columns: [{ name: 'age', type: 'integer', direction: 'up' }, { name: 'income', min: 0, step: 0.01, maxChange: 500 }],
 * });
 */
export function tabular(schema: TableSchema): Constraint {
  const { columns, oneHot, relations, products, cost, title } = tableRules(schema);
  const levels = columns.map((rule) => rule.levels);
  const grouped = new Set(oneHot.flat());
  /** What columns and groups say of the row. */
  const valueViolation = (row: Float32Array, clean: Float32Array): string | undefined => {
    for (const [i, rule] of columns.entries()) {
      const found = rule.violation(row[i]!, clean[i]!);
      if (found !== undefined) return found;
    }
    for (const group of oneHot) {
      const found = groupViolation(row, group, columns);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return constraintOf({
    id: 'tabular',
    title,
    length: columns.length,
    free: Uint8Array.from(columns, ({ isFixed }) => (isFixed ? 0 : 1)),
    move(row, clean, ball, accepts) {
      const region: Region = {
        ...boxRegion(columns, clean, ball),
        relations: relations.map((relation) => widened(relation, clean)),
        cost,
      };
      const wish = row.slice();
      const flips = flipsOf(wish, region, columns, oneHot);
      for (const chosen of flips.length > 0 ? [flips, []] : [[]]) {
        const part = copyOf(region);
        for (const i of grouped) fix(part, i);
        if (ball.norm === 'l0') keepLargest(wish, part, levels, Math.floor(ball.eps) - 2 * chosen.length);
        for (const flip of chosen) apply(part, flip);
        row.set(wish);
        if (settleProducts(row, part, levels, products, accepts)) return;
      }
    },
    violation(row, clean) {
      const found = valueViolation(row, clean);
      if (found !== undefined) return found;
      const broken =
        relations.find((relation) => !holds(widened(relation, clean), row, clean)) ??
        products.find((product) => !productHolds(product, row, clean));
      if (broken) return `${broken.title} does not hold`;
      if (!cost) return undefined;
      const spent = cost.weights.reduce((sum, w, i) => sum + w * Math.abs(row[i]! - clean[i]!), 0);
      return spent <= cost.budget * (1 + 1e-6) ? undefined : 'the changes cost more than maxCost';
    },
    impossible(row) {
      const found = valueViolation(row, row);
      if (found !== undefined) return found;
      const broken =
        relations.find((relation) => !holds(relation, row, row)) ??
        products.find((product) => !productHolds({ ...product, strict: true }, row, row));
      return broken && `${broken.title} does not hold`;
    },
  });
}
