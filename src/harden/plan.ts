import { GlacisError } from '../core/error.ts';
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
/** TRADES sends the samples as they are through the network, too. */
const TRADES_PASSES = 1;
/** Above this share of the range PGD with a growing radius learns more surely than TRADES. */
const WIDE = 0.1;

/**
 * Picks objective, steps of the inner attack and epochs so that training ends within its time: as thorough an attack as leaves
 * at least eight epochs, else fewer steps, in the end single-step training that falls back on PGD when it overfits catastrophically.
 * Errors: `option/invalid` where not even one epoch of that fits, with the time that would.
 */
export function planHardening(facts: HardeningFacts): HardeningPlan {
  const { norm, eps, bounds, n, batch, seconds, seed } = facts;
  const perEpoch = Math.max(1, Math.floor(n / batch));
  const isWide = eps / (bounds[1] - bounds[0]) >= WIDE && norm === 'linf';
  const epochSeconds = (steps: number) => perEpoch * stepSeconds(facts.pace, steps, !isWide && steps > 1);
  const fits = (steps: number) => Math.floor(seconds / epochSeconds(steps));
  const steps = STEPS.find((count) => fits(count) >= FEWEST) ?? 1;
  const epochs = Math.min(MOST, fits(steps));
  if (epochs < 1)
    throw new GlacisError(
      'option/invalid',
      `--budget: expected time for at least one epoch of ${n} samples (about ${duration(epochSeconds(1) / SHARE)}), got ${duration(seconds / SHARE)}; give more time, or fewer samples with --n`,
    );
  const name = steps === 1 ? 'fast' : isWide ? 'pgd' : 'trades';
  const against = [
    `eps=${eps}`,
    ...(steps === 1 ? [] : [`steps=${steps}`]),
    ...(isWide && epochs >= FEWEST ? ['ramp=0.3'] : []),
  ];
  return {
    wishes: {
      against: `${name}(${against.join(', ')})`,
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
    seconds: epochs * epochSeconds(steps),
    reasons: [
      reasonFor(name, steps),
      `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'} of ${perEpoch} steps take about ${duration(epochs * epochSeconds(steps))} at the pace measured here`,
    ],
  };
}

/** Share of the budget that training may take; the rest is for measuring before and after. */
export const SHARE = 0.75;
/** Decay of the averaged weights, which are what is kept. */
const AVERAGE = 0.995;

function stepSeconds(pace: number, steps: number, isTrades: boolean): number {
  const passes = steps + WEIGHT_PASS + (isTrades ? TRADES_PASSES * WEIGHT_PASS : 0);
  return (pace * passes) / (1 + WEIGHT_PASS);
}

function reasonFor(name: string, steps: number): string {
  switch (name) {
    case 'fast':
      return 'the time is short: single-step attacks from random starts, watched for catastrophic overfitting';
    case 'pgd':
      return `a wide radius: PGD with ${steps} steps whose radius grows over the first third`;
    default:
      return `a small radius: TRADES with ${steps} steps, which trades accuracy for robustness openly`;
  }
}

/** Seconds in the words of `--budget`. */
export function duration(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${(seconds / 60).toFixed(seconds < 600 ? 1 : 0)} min`;
}
