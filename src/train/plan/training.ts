import { GlacisError } from '../../core/error.ts';
import type { Material } from '../material.ts';
import type { TrainingConstraint } from '../objective/inner-attack.ts';
import type { TrainOptions, Validation } from '../options.ts';
import { planAugments } from './augment.ts';
import { planCriterion } from './criterion.ts';
import { planObjective } from './objective.ts';
import { planOptimiser } from './optimiser.ts';
import { planSchedule } from './schedule.ts';

/** How to train, as one writes it; every key has a default. */
export interface TrainingWishes {
  /** Default 10. */
  readonly epochs?: number | undefined;
  /** Default 64. */
  readonly batch?: number | undefined;
  /** Highest learning rate. Default: what usually suits the optimiser. */
  readonly learningRate?: number | undefined;
  /** Default `cosine`. */
  readonly schedule?: string | undefined;
  /** Share of all steps over which the rate rises. Default: the schedule's own. */
  readonly warmUp?: number | undefined;
  /** Default `adam`. */
  readonly optimiser?: string | undefined;
  /** Default: what the labels ask for. */
  readonly loss?: string | undefined;
  readonly classWeights?: string | undefined;
  readonly labelSmoothing?: number | undefined;
  readonly augment?: string | undefined;
  readonly mixup?: number | undefined;
  readonly clip?: number | undefined;
  readonly average?: number | undefined;
  /** What to train against. Default: nothing. */
  readonly against?: string | undefined;
  /** Norm of the attacks. Default `linf`. */
  readonly norm?: 'linf' | 'l2' | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
  readonly patience?: number | undefined;
  readonly keepBest?: boolean | undefined;
  /** Default `stop`. */
  readonly whenCatastrophic?: 'stop' | 'fall-back' | 'go-on' | undefined;
}

/** Everything that a run of `train` takes beside model, data and where it reports to. */
export interface PlannedTraining {
  readonly options: Omit<TrainOptions, 'signal' | 'progress' | 'checkpoint'>;
  /** Outputs of the network, where it is still to be built. */
  readonly outputs: number;
  /** The same as plain data, for records. */
  readonly config: TrainingConfig;
}

/** All settings of a run as plain data. */
export type TrainingConfig = Readonly<Record<string, unknown>>;

/**
 * Turns wishes and data into the options of `train`.
 * Errors: `option/unknown`, `option/invalid`, `data/label-range`, `data/mismatch`.
 *
 * @param outputs of the network; without, it is to be built
 * @param constraint what attacked samples must satisfy
 */
export function planTraining(
  wishes: TrainingWishes,
  training: Material,
  validation: Material | undefined,
  outputs?: number,
  constraint?: TrainingConstraint,
): PlannedTraining {
  const { epochs = 10, batch = 64, seed = 0, norm = 'linf', whenCatastrophic = 'stop' } = wishes;
  const { mixup, clip, average, patience, keepBest = false, warmUp } = wishes;
  const needsValidation = patience !== undefined || keepBest;
  if (needsValidation && !validation)
    throw new GlacisError(
      'option/invalid',
      'validation: expected samples to tell the best epoch by, got none; give validation data or a share',
    );
  const { optimiser, usualRate } = planOptimiser(wishes.optimiser ?? 'adam');
  const schedule = planSchedule(wishes.schedule ?? 'cosine', wishes.learningRate ?? usualRate, warmUp);
  const planned = planCriterion(training, { ...wishes, isMixed: mixup !== undefined }, outputs);
  const { criterion } = planned;
  const { bounds, isRanged, shape } = training;
  const aim = planObjective(wishes.against, { norm, bounds, isRanged, shape, constraint });
  const augment = wishes.augment === undefined ? [] : planAugments(wishes.augment);
  const checked: Validation | undefined = validation && {
    samples: validation.samples,
    ...(aim.threat ? { threat: aim.threat } : {}),
    ...(constraint ? { constraint: constraint.constraint } : {}),
    keepBest,
    ...(patience === undefined ? {} : { patience }),
    whenCatastrophic:
      whenCatastrophic === 'fall-back' && aim.fallBack ? aim.fallBack : plainReaction(whenCatastrophic),
  };
  const digests = [training.digest, ...(validation ? [validation.digest, `${validation.n}`] : [])];
  const named = (each: { readonly name: string; readonly options: object }) => ({
    name: each.name,
    ...each.options,
  });
  return {
    outputs: planned.outputs,
    options: {
      epochs,
      batch,
      seed,
      schedule,
      optimiser,
      criterion,
      objective: aim.objective,
      replays: aim.replays,
      augment,
      ...(mixup === undefined ? {} : { mixup }),
      ...(clip === undefined ? {} : { clip }),
      ...(average === undefined ? {} : { average }),
      ...(checked ? { validation: checked } : {}),
      dataDigest: digests.join(' '),
    },
    config: {
      epochs,
      batch,
      seed,
      learningRate: wishes.learningRate ?? usualRate,
      schedule: named(schedule),
      optimiser: named(optimiser),
      loss: named(criterion),
      objective: named(aim.objective),
      replays: aim.replays,
      augment: augment.map(named),
      mixup: mixup ?? null,
      clipGradients: clip ?? null,
      average: average ?? null,
      validationThreat: aim.threat ?? null,
      constraint: constraint ? constraint.constraint.title : null,
      keepBest,
      patience: patience ?? null,
      whenCatastrophic,
    },
  };
}

/** Without an attack in training there is nothing to fall back on: the run would stop. */
function plainReaction(asked: 'stop' | 'fall-back' | 'go-on'): 'stop' | 'go-on' {
  return asked === 'go-on' ? 'go-on' : 'stop';
}
