import { GlacisError } from '../../core/error.ts';
import { type Difference, unpairedDifference } from '../../core/statistics/difference.ts';
import type { Rate } from '../compare/comparison.ts';
import { rateOf } from '../compare/contrast.ts';

/** How well one threshold on the loss tells training samples from others. */
export interface MembershipTest {
  /** Log-loss below which a sample is called a member, found on the other half of the samples. */
  readonly threshold: number;
  /** Members that are called so, of the half that the threshold was not found on. */
  readonly truePositives: Rate;
  /** Others that are called members. */
  readonly falsePositives: Rate;
  /** True minus false positive rate: 0 for guessing, 1 for certainty. */
  readonly advantage: Difference;
  /** Probability that a member has a lower loss than another sample, ties counted half, over all samples. */
  readonly auc: number;
}

/**
 * The simplest membership inference there is: call a member what the model has a low loss on (Yeom et al. 2018). It is a floor, not a
 * bound: attacks with shadow models find more (Carlini et al. 2022). The threshold is chosen on every second sample and judged on the rest,
 * so that it gains nothing by chance.
 * Errors: `option/invalid` with fewer than two samples on a side.
 *
 * @param members log-probability of the right class for samples of the training data
 * @param others the same for samples that were not trained on
 * @see https://arxiv.org/abs/1709.01604
 */
export function membershipTest(members: Float64Array, others: Float64Array): MembershipTest {
  if (members.length < 2 || others.length < 2)
    throw new GlacisError(
      'option/invalid',
      `members: expected two samples or more of training and of other data, got ${members.length} and ${others.length}`,
    );
  const half = (values: Float64Array, odd: 0 | 1) => values.filter((_, i) => i % 2 === odd);
  const threshold = bestThreshold(half(members, 0), half(others, 0));
  const called = (values: Float64Array) =>
    rateOf(Uint8Array.from(half(values, 1), (v) => (v >= threshold ? 1 : 0)));
  const [truePositives, falsePositives] = [called(members), called(others)];
  return {
    threshold: Math.max(0, -threshold),
    truePositives,
    falsePositives,
    advantage: unpairedDifference(
      [falsePositives.right, falsePositives.n],
      [truePositives.right, truePositives.n],
    ),
    auc: aucOf(members, others),
  };
}

/** The log-probability from which on calling a sample a member gives the largest advantage. */
function bestThreshold(members: Float64Array, others: Float64Array): number {
  const marked = [
    ...Array.from(members, (value) => ({ value, gain: 1 / members.length })),
    ...Array.from(others, (value) => ({ value, gain: -1 / others.length })),
  ].sort((a, b) => b.value - a.value);
  let [sum, best, threshold] = [0, Number.NEGATIVE_INFINITY, 0];
  for (const [i, { value, gain }] of marked.entries()) {
    sum += gain;
    const next = marked[i + 1]?.value ?? value;
    // Equal values fall to the same side.
    if ((next === value && i + 1 < marked.length) || sum <= best) continue;
    [best, threshold] = [sum, (value + next) / 2];
  }
  return threshold;
}

function aucOf(members: Float64Array, others: Float64Array): number {
  const sorted = others.toSorted();
  const below = (value: number, orEqual: boolean) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < value || (orEqual && sorted[middle]! === value)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const wins = members.reduce((sum, v) => sum + (below(v, false) + below(v, true)) / 2, 0);
  return wins / (members.length * others.length);
}
