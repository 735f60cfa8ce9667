import { type Difference, unpairedDifference } from '../../core/statistics/difference.ts';
import { type Calibration, calibrationOf } from '../calibration/calibration.ts';
import { type Confidences, confidencesOf, type Scored } from '../calibration/confidences.ts';
import type { Rate } from '../compare/comparison.ts';
import { rateOf } from '../compare/contrast.ts';
import { type MembershipTest, membershipTest } from './membership.ts';

/** What the model says of samples of one kind. */
export interface Population {
  readonly rate: Rate;
  readonly calibration: Calibration;
}

/** How the model treats what it was trained on and what it was not: what it has learned by heart, an attacker can tell. */
export interface Generalisation {
  /** Samples of the training data. */
  readonly members: Population;
  /** Samples that were not trained on. */
  readonly others: Population;
  /** Accuracy on members minus accuracy on others. */
  readonly accuracyGap: Difference;
  /** Mean confidence on members minus that on others, with Welch's normal interval. */
  readonly confidenceGap: Difference;
  /** Mean log-loss on others minus that on members, in nats. */
  readonly lossGap: number;
  readonly membership: MembershipTest;
}

/**
 * Holds a model's scores on training data against those on other data. Errors: those of `confidencesOf`; `option/invalid` with fewer than
 * two samples on a side.
 */
export function generalisationOf(members: Scored, others: Scored): Generalisation {
  const [known, fresh] = [confidencesOf(members), confidencesOf(others)];
  const [inside, outside] = [populationOf(known), populationOf(fresh)];
  return {
    members: inside,
    others: outside,
    accuracyGap: unpairedDifference([outside.rate.right, fresh.n], [inside.rate.right, known.n]),
    confidenceGap: welch(fresh.answered, known.answered),
    lossGap: outside.calibration.nll - inside.calibration.nll,
    membership: membershipTest(known.logRight, fresh.logRight),
  };
}

function populationOf(said: Confidences): Population {
  return { rate: rateOf(said.correct), calibration: calibrationOf(said) };
}

/** The second mean minus the first, with Welch's interval under the normal approximation; [−1, 1] where the spread is not known. */
function welch(first: Float64Array, second: Float64Array): Difference {
  const [a, b] = [momentsOf(first), momentsOf(second)];
  const difference = b.mean - a.mean;
  const arm = 1.959964 * Math.sqrt(a.variance / first.length + b.variance / second.length);
  return Number.isFinite(arm)
    ? { difference, interval: [Math.max(-1, difference - arm), Math.min(1, difference + arm)] }
    : { difference, interval: [-1, 1] };
}

function momentsOf(values: Float64Array) {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  return { mean, variance: values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1) };
}
