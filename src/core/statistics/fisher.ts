import { requireCounts } from './counts.ts';

/** Tables that are equally likely but for rounding count as such. */
const SLACK = 1e-7;

/**
 * Fisher's exact test of whether two proportions from unrelated samples are equal: the two-sided p-value, the sum over all
 * tables with the same margins that are no likelier than the one seen. Without samples p = 1. Cost: about √n steps,
 * outwards from the likeliest table until probabilities vanish; a table beyond that has p = 0.
 *
 * @param first successes and trials
 * @param second successes and trials
 * @throws GlacisError `option/invalid` for counts that are none
 * @see Fisher 1935, "The logic of inductive inference", Journal of the Royal Statistical Society 98
 */
export function fisherExact(
  first: readonly [successes: number, n: number],
  second: readonly [successes: number, n: number],
): number {
  for (const [successes, n] of [first, second]) requireCounts('fisherExact', successes, n);
  const [[k, n], rest] = [first, second[1]];
  const m = k + second[0];
  // Hypergeometric: P(i + 1) / P(i) for i of the m successes on the first side.
  const ratio = (i: number) => ((n - i) * (m - i)) / ((i + 1) * (rest - m + i + 1));
  const mode = Math.floor(((n + 1) * (m + 1)) / (n + rest + 2));
  const weights = [1];
  let seen = k === mode ? 1 : 0;
  const visit = (i: number, weight: number) => {
    weights.push(weight);
    if (i === k) seen = weight;
  };
  for (let i = mode, w = 1; i < Math.min(m, n) && w > 0; visit(i, w)) w *= ratio(i++);
  for (let i = mode, w = 1; i > Math.max(0, m - rest) && w > 0; visit(i, w)) w /= ratio(--i);
  const sum = (part: readonly number[]) => part.reduce((total, w) => total + w, 0);
  return Math.min(1, sum(weights.filter((w) => w <= seen * (1 + SLACK))) / sum(weights));
}
