import { GlacisError } from '../core/error.ts';
import type { Progress } from '../core/progress.ts';
import type { Constraint } from '../threat/constraint.ts';
import type { Augment } from './augment.ts';
import type { Criterion } from './criterion/criterion.ts';
import type { Epoch, StepFigures } from './journal.ts';
import type { Objective } from './objective/objective.ts';
import type { TrainingThreat } from './objective/threat.ts';
import type { Optimiser } from './optimise/optimiser.ts';
import type { LabelledSamples } from './samples.ts';
import type { Schedule } from './schedule.ts';

/** How `train` trains. */
export interface TrainOptions {
  readonly epochs: number;
  /** Samples in a step; a rest of an epoch that fills none is left out of that epoch. */
  readonly batch: number;
  readonly schedule: Schedule;
  /** Orders, augments and attacks the samples, together with epoch and step. */
  readonly seed: number;
  /** Default Adam. */
  readonly optimiser?: Optimiser;
  /** Default cross-entropy. */
  readonly criterion?: Criterion;
  /** Default the samples as they are. */
  readonly objective?: Objective;
  /** Steps on each batch before the next one (Free adversarial training). Default 1. */
  readonly replays?: number;
  /** Initializers to train. Default: `trainableParameters`. */
  readonly parameters?: readonly string[];
  readonly augment?: readonly Augment[];
  /** Mixes samples (Zhang et al. 2018), with this strength; needs `softCrossEntropy` or a criterion that is no class. */
  readonly mixup?: number;
  /** Most that the joint norm of the gradients may be. */
  readonly clip?: number;
  /** Decay of an exponential moving average of the weights, which is then what is measured and given back. */
  readonly average?: number;
  readonly validation?: Validation;
  readonly checkpoint?: CheckpointOptions;
  /** Digests of the model and of the data, by which a checkpoint knows its run. */
  readonly modelDigest?: string;
  readonly dataDigest?: string;
  /** Told before the first step: how many steps of all were made by earlier processes, and the epochs that they closed. */
  readonly onStart?: (steps: number, total: number, epochs: readonly Epoch[]) => void;
  /** Told after each step, before any checkpoint that holds it. */
  readonly onStep?: (figures: StepFigures) => void;
  /** Told after each epoch. */
  readonly onEpoch?: (epoch: Epoch, number: number) => void;
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
  /** Milliseconds since some moment. Default: the system's. */
  readonly now?: () => number;
}

/** What is measured after each epoch, and what follows from it. */
export interface Validation {
  readonly samples: LabelledSamples;
  /** Also attack them. Default: not. */
  readonly threat?: TrainingThreat;
  /** What attacked samples must satisfy; then FGSM is not tried beside. Default: nothing. */
  readonly constraint?: Constraint;
  /** Keep the weights of the epoch that was best on them: robust accuracy where they are attacked, else accuracy, else loss. Default false. */
  readonly keepBest?: boolean;
  /** Stop after so many epochs without a better one. Default: never. */
  readonly patience?: number;
  /** What to do where single-step training overfits catastrophically (see `overfitting.ts`). Default `stop`. */
  readonly whenCatastrophic?: 'stop' | 'go-on' | Objective;
}

/** Where a run is kept so that it can go on. */
export interface CheckpointOptions {
  readonly path: string;
  /** Go on from the file where there is one. */
  readonly resume?: boolean;
  /** Seconds between two checkpoints. Default 60. */
  readonly every?: number;
}

/** Throws where an option is out of range. Errors: `option/invalid`. */
export function checkOptions({
  epochs,
  batch,
  replays = 1,
  clip,
  mixup,
  validation,
  checkpoint,
}: TrainOptions): void {
  const check = (holds: boolean, option: string, expected: string, got: unknown) => {
    if (!holds) throw new GlacisError('option/invalid', `${option}: expected ${expected}, got ${got}`);
  };
  const isCount = (n: number) => Number.isSafeInteger(n) && n >= 1;
  const isPositive = (n: number | undefined) => n === undefined || (n > 0 && Number.isFinite(n));
  check(isCount(epochs), 'epochs', 'a whole number of at least 1', epochs);
  check(isCount(batch), 'batch', 'a whole number of at least 1', batch);
  check(isCount(replays), 'replays', 'a whole number of at least 1', replays);
  check(isPositive(clip), 'clip', 'a number above 0', clip);
  check(isPositive(mixup), 'mixup', 'a number above 0', mixup);
  check(isPositive(checkpoint?.every), 'checkpoint every', 'seconds above 0', checkpoint?.every);
  const { patience } = validation ?? {};
  check(patience === undefined || isCount(patience), 'patience', 'a whole number of at least 1', patience);
}
