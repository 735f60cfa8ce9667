import { fisherExact } from '../../core/statistics/fisher.ts';
import { chiSquareTail } from './gamma.ts';
import type { Tested } from './kolmogorov-smirnov.ts';

/** Cochran's rule: a cell with a smaller expected count makes the χ² distribution a bad approximation. */
const LEAST_EXPECTED = 5;

/**
 * Whether two rows of counts come from the same frequencies: Pearson's χ² test of homogeneity. Categories whose expected count is below 5 in either row are put together, the
 * rarest first, until there are enough; what is left over is held against all the rest by Fisher's exact test, and the smaller of the two p-values counts, doubled. So a
 * category that is new is noticed however rare it is. `statistic` is that of χ². With an empty row: 0 and 1.
 *
 * @param first whole numbers of 0 or more, one a category
 * @param second as many
 * @see Cochran 1954, Biometrics 10
 */
export function homogeneity(first: ArrayLike<number>, second: ArrayLike<number>): Tested {
  const cells: { readonly a: number; readonly b: number }[] = [];
  let [n, m] = [0, 0];
  for (let k = 0; k < first.length; k++) {
    const [a, b] = [first[k]!, second[k]!];
    if (a + b > 0) cells.push({ a, b });
    n += a;
    m += b;
  }
  if (n === 0 || m === 0) return { statistic: 0, p: 1 };
  cells.sort((x, y) => x.a + x.b - (y.a + y.b));
  const least = (LEAST_EXPECTED * (n + m)) / Math.min(n, m);
  const large: { readonly a: number; readonly b: number }[] = [];
  let rare = { a: 0, b: 0 };
  for (const { a, b } of cells) {
    if (a + b >= least) large.push({ a, b });
    else rare = { a: rare.a + a, b: rare.b + b };
    if (rare.a + rare.b >= least) {
      large.push(rare);
      rare = { a: 0, b: 0 };
    }
  }
  const statistic = pearson(large, n, m);
  const p = large.length < 2 ? 1 : chiSquareTail(statistic, large.length - 1);
  if (rare.a + rare.b === 0) return { statistic, p };
  const exact = fisherExact([rare.a, n], [rare.b, m]);
  return { statistic, p: large.length < 2 ? exact : Math.min(1, 2 * Math.min(p, exact)) };
}

/** Σ (observed − expected)² / expected over both rows. */
function pearson(cells: readonly { readonly a: number; readonly b: number }[], n: number, m: number): number {
  // For two rows the sum over both is (a m − b n)² / (n m (a + b)).
  let sum = 0;
  for (const { a, b } of cells) sum += (a * m - b * n) ** 2 / (n * m * (a + b));
  return sum;
}
