import { GlacisError } from '../../core/error.ts';
import type { Accountant } from '../../privacy/statement.ts';
import type { Material } from '../material.ts';
import type { TrainingConstraint } from '../objective/inner-attack.ts';
import type { AdaptiveClipping } from '../private/clipping.ts';
import type { PrivateTrainOptions } from '../private/options.ts';
import { planAugments } from './augment.ts';
import { planCriterion } from './criterion.ts';
import { planObjective } from './objective.ts';
import { oneFrom } from './one-spec.ts';
import { planOptimiser } from './optimiser.ts';
import { planSchedule } from './schedule.ts';
import type { TrainingConfig, TrainingWishes } from './training.ts';

/** How to train privately, as one writes it. */
export interface PrivateWishes
  extends Pick<
    TrainingWishes,
    | 'learningRate'
    | 'schedule'
    | 'warmUp'
    | 'loss'
    | 'classWeights'
    | 'labelSmoothing'
    | 'augment'
    | 'average'
    | 'against'
    | 'norm'
  > {
  /** What may be spent. Either this or {@link noise}. */
  readonly epsilon?: number | undefined;
  /** Noise multiplier. */
  readonly noise?: number | undefined;
  /** Default: below one over the number of samples, see {@link usualDelta}. */
  readonly delta?: number | undefined;
  /** A norm, or `adaptive(quantile=0.5)`. Default {@link USUAL_CLIP}. */
  readonly clip?: string | undefined;
  /** Samples of a step on average. Default a hundredth of all, from 64 to 2048. */
  readonly batch?: number | undefined;
  /** How often each sample is seen on average. Default 20. */
  readonly epochs?: number | undefined;
  /** Default `sgd`. */
  readonly optimiser?: string | undefined;
  /** Default `refuse`. */
  readonly normalisation?: 'refuse' | 'rewrite' | undefined;
  /** Which accountant calibrates. Default `pld`. */
  readonly accountant?: Accountant | undefined;
  /** Most samples in a physical batch. */
  readonly rows?: number | undefined;
}

/** Everything that a run of `trainPrivately` takes beside model, data and where it reports to. */
export interface PlannedPrivateTraining {
  readonly options: Omit<PrivateTrainOptions, 'signal' | 'progress' | 'checkpoint' | 'ledger'>;
  /** Outputs of the network, where it is still to be built. */
  readonly outputs: number;
  /** All settings as plain data, for records. None of them depends on what the samples are. */
  readonly config: TrainingConfig;
}

/** Short, so that most gradients count alike and their direction decides. */
const USUAL_CLIP = 0.1;

/**
 * SGD's learning rate times the clipping norm, unless a rate is given: what a step can reach does not depend on the norm then. Measured with momentum 0.9 on
 * MNIST (epsilon 2.9 at 1e-5, 15 epochs, one run each): 94.3 % at 0.05 and norm 1, 95.4 % at 0.08 and norm 0.1.
 */
const USUAL_REACH = 0.08;

/** Options of adaptive clipping as they are written; the library's defaults where `undefined`. */
const CLIPPINGS = {
  adaptive: { start: undefined, quantile: undefined, rate: undefined, noise: undefined },
} as const;

/**
 * Turns wishes and data into the options of `trainPrivately`. What becomes part of the model may depend on the number of samples, their shape
 * and how many classes there are, which count as public, and on nothing else of them.
 * Errors: `option/unknown`, `option/invalid`, `data/label-range`, `data/mismatch`.
 *
 * @param validation samples that may be known, from another data set
 * @param outputs of the network; without, it is to be built
 * @param constraint what attacked samples must satisfy
 */
export function planPrivateTraining(
  wishes: PrivateWishes,
  training: Material,
  validation: Material | undefined,
  outputs?: number,
  constraint?: TrainingConstraint,
): PlannedPrivateTraining {
  const { epsilon, noise, epochs = 20, average, norm = 'linf', accountant = 'pld', rows } = wishes;
  const { delta = usualDelta(training.n), batch = usualBatch(training.n) } = wishes;
  const { normalisation = 'refuse' } = wishes;
  if (wishes.classWeights === 'balanced')
    throw new GlacisError(
      'option/invalid',
      'class weights: expected numbers for a private run, got balanced: how many samples a class has is private',
    );
  if (validation?.dataSet === training.dataSet)
    throw new GlacisError(
      'option/invalid',
      'validation: expected samples that may be known, got the private ones: the same digest',
    );
  const { bounds, isRanged, shape } = training;
  if (wishes.against !== undefined && !isRanged)
    throw new GlacisError(
      'option/invalid',
      'against: expected a known range of the inputs (--range LOW,HIGH) for a private run, got none: the least and greatest value that occur are private',
    );
  const { optimiser, usualRate } = planOptimiser(wishes.optimiser ?? 'sgd');
  const clip = clippingFrom(wishes.clip ?? String(USUAL_CLIP));
  const limit = typeof clip === 'number' ? clip : (clip.start ?? 1);
  const learningRate =
    wishes.learningRate ?? (optimiser.name === 'sgd' ? rounded(USUAL_REACH / limit) : usualRate);
  const schedule = planSchedule(wishes.schedule ?? 'cosine', learningRate, wishes.warmUp);
  const planned = planCriterion(training, { ...wishes, isMixed: false }, outputs);
  const aim = planObjective(wishes.against, { norm, bounds, isRanged, shape, constraint });
  const augment = wishes.augment === undefined ? [] : planAugments(wishes.augment);
  const named = (each: { readonly name: string; readonly options: object }) => ({
    name: each.name,
    ...each.options,
  });
  const digests = [training.digest, ...(validation ? [validation.digest, `${validation.n}`] : [])];
  return {
    outputs: planned.outputs,
    options: {
      ...(epsilon === undefined ? {} : { epsilon }),
      ...(noise === undefined ? {} : { noise }),
      delta,
      accounting: { accountant },
      batch,
      epochs,
      clip,
      schedule,
      optimiser,
      criterion: planned.criterion,
      objective: aim.objective,
      augment,
      normalisation,
      ...(average === undefined ? {} : { average }),
      ...(rows === undefined ? {} : { rows }),
      ...(validation
        ? { validation: { samples: validation.samples, ...(aim.threat ? { threat: aim.threat } : {}) } }
        : {}),
      dataDigest: digests.join(' '),
    },
    config: {
      epochs,
      epsilon: epsilon ?? null,
      noise: noise ?? null,
      delta,
      accountant,
      logicalBatch: batch,
      clip: typeof clip === 'number' ? clip : { name: 'adaptive', ...clip },
      normalisation,
      learningRate,
      schedule: named(schedule),
      optimiser: named(optimiser),
      loss: named(planned.criterion),
      objective: named(aim.objective),
      augment: augment.map(named),
      average: average ?? null,
      validationThreat: aim.threat ?? null,
      constraint: constraint ? constraint.constraint.title : null,
      seed: null,
    },
  };
}

/** `n^-1.1`, rounded down to one digit: a promise that is kept by giving a sample away now and then would need more than 1/n. */
export function usualDelta(n: number): number {
  const exact = Math.max(n, 2) ** -1.1;
  const exponent = Math.floor(Math.log10(exact));
  return Number(`${Math.floor(exact / 10 ** exponent)}e${exponent}`);
}

/** Six digits, as one would type it. */
const rounded = (value: number) => Number(value.toPrecision(6));

/** A hundredth of the samples, from 64 to 2048, at most all. */
function usualBatch(n: number): number {
  return Math.min(n, 2048, Math.max(64, Math.round(n / 100)));
}

/** Reads `0.5` or `adaptive(start=1, quantile=0.5)`. Errors: `option/unknown`, `option/invalid`. */
function clippingFrom(text: string): number | AdaptiveClipping {
  if (/^[\s+\-.\deE]+$/.test(text)) {
    const norm = Number(text);
    if (norm > 0 && Number.isFinite(norm)) return norm;
    throw new GlacisError('option/invalid', `clip: expected a norm above 0, got '${text.slice(0, 40)}'`);
  }
  const { options } = oneFrom(text, CLIPPINGS, 'clip');
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
