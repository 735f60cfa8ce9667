import { GlacisError } from '../core/error.ts';
import { type Price, priceOf } from '../train/plan/objective.ts';
import type { TrainingWishes } from '../train/plan/training.ts';

/** What a plan is made from. */
export interface HardeningFacts {
  readonly norm: 'linf' | 'l2';
  /** Radius to stand against, in the input's units. */
  readonly eps: number;
  readonly bounds: readonly [number, number];
  /** Training samples, those that are held back left out. */
  readonly n: number;
  readonly batch: number;
  /** Seconds of a training step against an attack of one step. */
  readonly pace: number;
  /** Seconds that training may take. */
  readonly seconds: number;
  readonly seed: number;
  /** What to train against and for how many epochs, where that was said. */
  readonly against?: string | undefined;
  readonly epochs?: number | undefined;
  /** Whether attacked samples must satisfy a constraint, under which there is PGD only. */
  readonly isConstrained?: boolean | undefined;
}

/** How a model is to be hardened. */
export interface HardeningPlan {
  readonly wishes: TrainingWishes;
  /** Seconds that the training will take, as far as the pace says. */
  readonly seconds: number;
  /** Why so, a sentence each. */
  readonly reasons: readonly string[];
}

/** Steps of the inner attack, the most thorough first: 1 is FGSM from a random start. */
const STEPS = [10, 7, 5, 3, 1] as const;
/** Epochs from which more steps of the attack gain more than more epochs, and beyond which little is gained. */
const FEWEST = 8;
const MOST = 60;
/** A forward and backward pass for the weights costs so many for the samples. */
const WEIGHT_PASS = 1.5;
/** Above this share of the range PGD with a growing radius learns more surely than TRADES. */
const WIDE = 0.1;

/**
 * Picks objective, steps of the inner attack and epochs so that training ends within its time: as thorough an attack as leaves
 * at least eight epochs (or as many as were asked for), else fewer steps, in the end single-step training that falls back on PGD when it overfits
 * catastrophically. What was said is kept to, whatever the time.
 * Errors: `option/invalid` where not even one epoch of that fits, with the time that would; those of `priceOf`.
 */
export function planHardening(facts: HardeningFacts): HardeningPlan {
  const { norm, eps, bounds, n, batch, seconds, seed } = facts;
  const perEpoch = Math.max(1, Math.floor(n / batch));
  const isWide = facts.isConstrained || (eps / (bounds[1] - bounds[0]) >= WIDE && norm === 'linf');
  const objective = (steps: number, ramp = '') => {
    const name = steps === 1 ? 'fast' : isWide ? 'pgd' : 'trades';
    return `${name}(eps=${eps}${steps === 1 ? '' : `, steps=${steps}`}${ramp})`;
  };
  const epochSeconds = (against: string) => perEpoch * stepSeconds(facts.pace, priceOf(against));
  const fits = (against: string) => Math.floor(seconds / epochSeconds(against));
  const least = facts.epochs ?? FEWEST;
  const steps = STEPS.find((count) => fits(objective(count)) >= least) ?? 1;
  const chosen = facts.against ?? objective(steps);
  const epochs = facts.epochs ?? Math.min(MOST, fits(chosen));
  if (epochs < 1)
    throw new GlacisError(
      'option/invalid',
      `--budget: expected time for at least one epoch of ${n} samples (about ${duration(epochSeconds(chosen) / SHARE)}), got ${duration(seconds / SHARE)}; give more time, or fewer samples with --n`,
    );
  const ramp = steps === 1 ? HASTY_RAMP : isWide && epochs >= FEWEST ? RAMP : undefined;
  const against =
    facts.against === undefined && ramp !== undefined ? objective(steps, `, ramp=${ramp}`) : chosen;
  const whole = epochs * epochSeconds(against);
  return {
    wishes: {
      against,
      norm,
      epochs,
      batch,
      seed,
      optimiser: 'adam',
      learningRate: 2e-3,
      schedule: 'cosine',
      average: AVERAGE,
      keepBest: true,
      whenCatastrophic: 'fall-back',
    },
    seconds: whole,
    reasons: [
      ...(facts.isConstrained
        ? ['attacked samples satisfy the constraint, projected between the steps of the attack']
        : []),
      facts.against === undefined ? reasonFor(steps, isWide) : `against ${against}, as was asked for`,
      `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'} of ${perEpoch} steps take about ${duration(whole)} at the pace measured here${whole > seconds ? ', more than the time there is' : ''}`,
    ],
  };
}

/** Over which share of the training a wide radius grows to its size. */
const RAMP = 0.3;
/**
 * The same against single steps: a network that stands nothing yet learns to answer nothing at all when it meets the whole radius at once (`cifar10-resnet14`, 4,000
 * samples, 8/255, six epochs: 10 % right with and without an attack; growing over 0.7, 66 % and under PGD-10 13.5 %).
 */
const HASTY_RAMP = 0.7;
/** Share of the budget that training may take; the rest is for measuring before and after. */
export const SHARE = 0.75;
/** Decay of the averaged weights, which are what is kept. */
const AVERAGE = 0.995;

/** Seconds of a step of this price, where one against an attack of one step takes `pace`. */
export function stepSeconds(pace: number, { attack, weights }: Price): number {
  return (pace * (attack + WEIGHT_PASS * weights)) / (1 + WEIGHT_PASS);
}

function reasonFor(steps: number, isWide: boolean): string {
  if (steps === 1)
    return 'the time is short: single-step attacks from random starts, whose radius grows over most of the training, watched for catastrophic overfitting';
  return isWide
    ? `a wide radius: PGD with ${steps} steps whose radius grows over the first third`
    : `a small radius: TRADES with ${steps} steps, which trades accuracy for robustness openly`;
}

/** Seconds in the words of `--budget`. */
export function duration(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${(seconds / 60).toFixed(seconds < 600 ? 1 : 0)} min`;
}
