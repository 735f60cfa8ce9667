import { type Condition, follow } from './follow.ts';
import type { Levels } from './levels.ts';
import { type Product, productHolds, tangentAt, valueIn } from './product.ts';
import type { Region } from './region.ts';
import { holds, missing, type Relation } from './relation.ts';
import { relax } from './relax.ts';
import { settle } from './settle.ts';

/** How often products are replaced by their tangents at the last point. */
const TURNS = 3;

/**
 * {@link settle} for a region in which some columns are products of others. A product is no convex condition, so its tangent stands for it: at the clean row
 * first, then at the points that this leads to. What is left to the product itself is made good by letting one of its columns follow, the one that holds it if
 * it can. Without products it is `settle`. Cost: three relaxations more, and `settle` at most twice.
 */
export function settleProducts(
  row: Float32Array,
  region: Region,
  levels: readonly (Levels | undefined)[],
  products: readonly Product[],
  accepts: () => boolean,
): boolean {
  if (products.length === 0) return settle(row, region, levels, accepts);
  const { clean } = region;
  const wish = row.slice();
  const conditions = conditionsOf(products, region);
  const finish = (x: Float32Array) => follow(conditions, x, region, levels);
  const flatAt = (point: ArrayLike<number>): Region => ({
    ...region,
    relations: [...region.relations, ...products.map((product) => tangentAt(product, point, clean))],
  });
  const near = flatAt(clean);
  let flat = near;
  for (let turn = 1; turn < TURNS; turn++) flat = flatAt(relax(wish, flat));
  if (settle(row, flat, levels, accepts, finish)) return true;
  row.set(wish);
  return settle(row, near, levels, accepts, finish);
}

/** Products, whose own column follows first, and relations, in which columns of no product do. */
function conditionsOf(products: readonly Product[], { clean, relations }: Region): readonly Condition[] {
  const bound = new Set(products.flatMap(({ of, equals }) => [...of, equals]));
  return [
    ...products.map(
      (product): Condition => ({
        at: [product.equals, ...product.of],
        holds: (x) => productHolds(product, x, clean),
        wanted: (x, i) => valueIn(product, x, i),
      }),
    ),
    ...relations.map(
      (relation): Condition => ({
        at: relation.at.toSorted((a, b) => Number(bound.has(a)) - Number(bound.has(b))),
        holds: (x) => holds(relation, x, clean),
        wanted: (x, i) => x[i]! + missing(relation, x) / factorOf(relation, i),
      }),
    ),
  ];
}

function factorOf({ at, by }: Relation, i: number): number {
  return by[at.indexOf(i)]!;
}
