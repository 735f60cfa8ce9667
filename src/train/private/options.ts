import { GlacisError } from '../../core/error.ts';
import { suggestion } from '../../core/options.ts';
import type { Progress } from '../../core/progress.ts';
import type { AccountingOptions } from '../../privacy/accountant.ts';
import type { Augment } from '../augment.ts';
import type { Criterion } from '../criterion/criterion.ts';
import type { Objective } from '../objective/objective.ts';
import type { TrainingThreat } from '../objective/threat.ts';
import type { Optimiser } from '../optimise/optimiser.ts';
import type { CheckpointOptions } from '../options.ts';
import type { LabelledSamples } from '../samples.ts';
import type { Schedule } from '../schedule.ts';
import type { AdaptiveClipping } from './clipping.ts';
import type { NormMethod } from './gradient/sample-gradient.ts';
import type { PrivateEpoch } from './journal.ts';
import type { PrivatelyTrained } from './trained.ts';

/** How `trainPrivately` trains. */
export interface PrivateTrainOptions {
  /** What the run may spend: noise is calibrated so that it does not spend more. Either this or {@link noise}. */
  readonly epsilon?: number;
  /** Noise multiplier: standard deviation of the noise on a sum of gradients over their clipping norm. */
  readonly noise?: number;
  /** Probability of the promise to fail, well below one over the number of samples. */
  readonly delta: number;
  /** How to account. Default: the PLD accountant. */
  readonly accounting?: AccountingOptions;
  /** Probability with which a sample is in a step's batch. Either this or {@link batch}. */
  readonly rate?: number;
  /** Samples that a step's batch has on average. */
  readonly batch?: number;
  /** How often each sample is seen on average: the run has `epochs / rate` steps. */
  readonly epochs: number;
  /** Most that the norm of a sample's gradient may be, or how that is to follow the norms. */
  readonly clip: number | AdaptiveClipping;
  readonly schedule: Schedule;
  /** Default plain SGD, of `optimise/sgd.ts`. */
  readonly optimiser?: Optimiser;
  /** Default cross-entropy. */
  readonly criterion?: Criterion;
  /** Default the samples as they are. One in which samples are learned from together is refused. */
  readonly objective?: Objective;
  /** Initializers to train. Default: `trainableParameters`. */
  readonly parameters?: readonly string[];
  readonly augment?: readonly Augment[];
  /** Decay of an exponential moving average of the weights, which is then given back; it costs no privacy. */
  readonly average?: number;
  /** What to do with BatchNormalization, which mixes samples. Default `refuse`. */
  readonly normalisation?: 'refuse' | 'rewrite';
  /** Most samples in a physical batch: memory, not what is computed, depends on it. Default 64. */
  readonly rows?: number;
  /** Default `cheapest`. */
  readonly norms?: NormMethod;
  /** Where the run is kept so that it can go on, readable by its owner only: it holds the key of all noise. Deleted at the end. */
  readonly checkpoint?: CheckpointOptions;
  /** Digests of the model and of the data, by which a checkpoint knows its run and the ledger its data set. */
  readonly modelDigest?: string;
  readonly dataDigest?: string;
  /** File in which budget is set aside before the run and what it spent is recorded; all runs on the data may be limited. */
  readonly ledger?: {
    readonly path: string;
    /** Digest by which the ledger knows the data set, parts of it included. Default `dataDigest`. */
    readonly dataSet?: string;
    readonly limit?: { readonly epsilon: number; readonly delta: number };
  };
  /** Samples to measure on after each epoch. They must not be among the private ones, and may be known: figures on them are not private. */
  readonly validation?: PrivateValidation;
  /** Makes the key for tests. Whoever knows it can take the noise away: a run with it promises nothing, and says so. */
  readonly testSeed?: number;
  /** Told what the user should know, such as a delta that is too large. */
  readonly onWarning?: (warning: string) => void;
  /** Told before the first step: how many steps of all were made by earlier processes, and the epochs that they closed. */
  readonly onStart?: (steps: number, total: number, epochs: readonly PrivateEpoch[]) => void;
  readonly onEpoch?: (epoch: PrivateEpoch, number: number) => void;
  /** Awaited at the end, before the checkpoint is destroyed: whoever writes the model here never loses it. */
  readonly onTrained?: (trained: PrivatelyTrained) => Promise<void>;
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
  /** Milliseconds since some moment. Default: the system's. */
  readonly now?: () => number;
  /** The time of day, for the ledger. Default: the system's. */
  readonly today?: () => Date;
}

/** What is measured after each epoch; nothing follows from it. */
export interface PrivateValidation {
  readonly samples: LabelledSamples;
  /** Also attack them. Default: not. */
  readonly threat?: TrainingThreat;
}

const KEYS: Readonly<Record<keyof PrivateTrainOptions, true>> = {
  epsilon: true,
  noise: true,
  delta: true,
  accounting: true,
  rate: true,
  batch: true,
  epochs: true,
  clip: true,
  schedule: true,
  optimiser: true,
  criterion: true,
  objective: true,
  parameters: true,
  augment: true,
  average: true,
  normalisation: true,
  rows: true,
  norms: true,
  checkpoint: true,
  modelDigest: true,
  dataDigest: true,
  ledger: true,
  validation: true,
  testSeed: true,
  onWarning: true,
  onStart: true,
  onEpoch: true,
  onTrained: true,
  signal: true,
  progress: true,
  now: true,
  today: true,
};

/** Options of plain training that a private run must not have, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  seed: 'whoever knows the seed can take the noise away; the noise is drawn with a secret key',
  mixup: 'a mixed sample is several samples, whose influence together is not bounded by the clipping norm',
};

const VALIDATION_KEYS = ['samples', 'threat'];

/** Checks what does not depend on the data. Errors: `option/unknown`, `option/invalid`. */
export function checkPrivateOptions(options: PrivateTrainOptions): void {
  const refuse = (code: 'option/unknown' | 'option/invalid', message: string): never => {
    throw new GlacisError(code, `private training: ${message}`);
  };
  const known = Object.keys(KEYS);
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(REFUSED, key)) refuse('option/invalid', `expected no ${key}, got one: ${REFUSED[key]}`);
    if (!Object.hasOwn(KEYS, key))
      refuse(
        'option/unknown',
        `expected an option of ${known.join(', ')}, got '${key}'${suggestion(key, known)}`,
      );
  }
  const {
    epsilon,
    noise,
    rate,
    batch,
    epochs,
    rows = 1,
    ledger,
    dataDigest,
    checkpoint,
    normalisation,
    validation = {},
  } = options;
  for (const key of Object.keys(validation))
    if (!VALIDATION_KEYS.includes(key))
      refuse(
        'option/invalid',
        `expected no ${key} of validation, got one: choosing among epochs by private samples spends privacy that nobody accounts for`,
      );
  const oneOf = (names: string, ...given: unknown[]) => {
    const count = given.filter((value) => value !== undefined).length;
    if (count !== 1)
      refuse('option/invalid', `expected either ${names}, got ${count === 0 ? 'none' : 'both'}`);
  };
  oneOf('epsilon or noise', epsilon, noise);
  oneOf('rate or batch', rate, batch);
  const positive = (name: string, value: number | undefined) => {
    if (value !== undefined && !(value > 0 && Number.isFinite(value)))
      refuse('option/invalid', `expected ${name} to be a number above 0, got ${value}`);
  };
  positive('epochs', epochs);
  positive('batch', batch);
  positive('checkpoint every', checkpoint?.every);
  if (!Number.isSafeInteger(rows) || rows < 1)
    refuse('option/invalid', `expected rows to be a whole number of at least 1, got ${rows}`);
  if (normalisation !== undefined && normalisation !== 'refuse' && normalisation !== 'rewrite')
    refuse('option/invalid', `expected normalisation to be refuse or rewrite, got '${normalisation}'`);
  if (ledger && (ledger.dataSet ?? dataDigest) === undefined)
    refuse('option/invalid', 'expected the digest of the data for the ledger, got none');
}
