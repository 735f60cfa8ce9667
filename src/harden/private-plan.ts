import { GlacisError } from '../core/error.ts';
import type { PrivateWishes } from '../train/plan/private-training.ts';
import { duration, type HardeningPlan, SHARE, stepSeconds } from './plan.ts';

/** What a private plan is made from. */
export interface PrivateFacts {
  /** Seconds of a private step on samples as they are, or for the goal `both` against an attack of one step. */
  readonly pace: number;
  /** Samples, and how many a step has on average. */
  readonly n: number;
  readonly batch: number;
  /** Seconds that training may take. */
  readonly seconds: number;
  /** The radius to stand against, for the goal `both`. */
  readonly eps?: number | undefined;
  /** What to train against and for how many epochs, where that was said. */
  readonly against?: string | undefined;
  readonly epochs?: number | undefined;
}

/** How a model is to be hardened privately. */
export interface PrivateHardeningPlan extends Omit<HardeningPlan, 'wishes'> {
  readonly wishes: PrivateWishes;
}

/** Steps of the inner attack, the most thorough first; noise hides what more of them would find. */
const STEPS = [5, 3, 2, 1] as const;
/** Epochs from which more steps of the attack gain more than more epochs, and beyond which more noise for the same epsilon eats what is gained. */
const FEWEST = 10;
const MOST = 40;

/**
 * Picks epochs, and the steps of the inner attack for the goal `both`, so that training ends within its time. The attack is PGD whose radius
 * grows over the first half: what a sample teaches depends on that sample and the weights only, as privacy demands, and noisy gradients learn
 * nothing from attacks at full size.
 * Errors: `option/invalid` where not even one epoch fits, with the time that would.
 */
export function planPrivateHardening(facts: PrivateFacts): PrivateHardeningPlan {
  const { pace, n, batch, seconds, eps, against } = facts;
  const perEpoch = Math.max(1, Math.round(n / batch));
  const isAttacked = eps !== undefined || against !== undefined;
  const epochSeconds = (steps: number) =>
    perEpoch * (isAttacked ? stepSeconds(pace, { attack: steps, weights: 1 }) : pace);
  const fits = (steps: number) => Math.floor(seconds / epochSeconds(steps));
  const least = facts.epochs ?? FEWEST;
  const steps = STEPS.find((count) => fits(count) >= least) ?? 1;
  const epochs = facts.epochs ?? Math.min(MOST, fits(steps));
  if (epochs < 1)
    throw new GlacisError(
      'option/invalid',
      `--budget: expected time for at least one epoch of ${n} samples (about ${duration(epochSeconds(steps) / SHARE)}), got ${duration(seconds / SHARE)}; give more time, or fewer samples with --n`,
    );
  const whole = epochs * epochSeconds(steps);
  return {
    wishes: {
      epochs,
      batch,
      ...(isAttacked ? { against: against ?? `pgd(eps=${eps}, steps=${steps}, ramp=0.5)` } : {}),
    },
    seconds: whole,
    reasons: [
      ...(isAttacked && against === undefined
        ? [
            `PGD with ${steps} ${steps === 1 ? 'step' : 'steps'} for each sample, whose radius grows over the first half`,
          ]
        : []),
      `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'} of about ${perEpoch} steps with ${batch} samples on average take about ${duration(whole)} at the pace measured here`,
    ],
  };
}
