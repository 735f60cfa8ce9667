import type { PrivacyStatement } from '../privacy/statement.ts';
import type { Epoch } from './journal.ts';
import type { Material } from './material.ts';
import type { TrainingConfig } from './plan/training.ts';
import type { StartingOrigin } from './starting-model.ts';

/** The version of the format, as the field `schema` carries it. */
export const TRAINING_SCHEMA = 'glacis.training/1';

/** Data that a run saw. */
export interface DataRecord {
  /** As it was named on the command line. */
  readonly source: string;
  readonly description: string;
  /** Null where it is withheld: whoever knows all samples but one could test for that one by it. */
  readonly digest: string | null;
  readonly n: number;
  readonly notes: readonly string[];
}

/** What a run ran on. */
export interface TrainingEnvironment {
  readonly glacis: string;
  readonly onnxruntime: string;
  readonly node: string;
  readonly os: string;
  readonly cpu: string;
  readonly threads: number;
  readonly device: string;
}

/** An epoch as a record has it: without what is withheld, with what private training adds. */
export interface RecordedEpoch extends Partial<Epoch> {
  /** Mean norm of the samples' gradients before clipping, and the share that was not clipped, at this limit. */
  readonly norm?: number;
  readonly unclipped?: number;
  readonly clip?: number;
}

/** What a private run promises, and what that rests on. */
export interface PrivacyRecord {
  /** What the promise is about: the weights in the file, now and at any time of the training, and not the owner's figures. */
  readonly covers: 'weights';
  /** Of this run, by each accountant; the first one planned the noise. Empty for a run with a test seed, which promises nothing. */
  readonly statements: readonly PrivacyStatement[];
  readonly rate: number;
  readonly expectedBatch: number;
  readonly steps: number;
  /** Noise multiplier as accounted for, that of the gradients, and the clipping norm at the end. */
  readonly noise: number;
  readonly gradientNoise: number;
  readonly clip: number;
  /** What the weights were before: drawn anew, or given by the user, who said that they are public. */
  readonly start: 'drawn' | 'said to be public';
  /** Layers whose BatchNormalization was rewritten. */
  readonly rewritten: readonly string[];
  readonly warnings: readonly string[];
  /** All runs on the data set that the ledger knows, this one included; null without a ledger. */
  readonly allRuns: { readonly runs: number; readonly statement: PrivacyStatement } | null;
}

/** How a model came to be: everything that made its bytes, and what was measured on the way (docs/training.md). */
export interface TrainingRecord {
  readonly schema: typeof TRAINING_SCHEMA;
  /** The file that was written. */
  readonly model: {
    readonly name: string;
    readonly digest: string;
    readonly parameters: number;
    /** Whether BatchNormalization was folded into the layers before it. */
    readonly folded: boolean;
  };
  readonly start: StartingOrigin & { readonly modelDigest: string };
  readonly data: DataRecord;
  /** Absent where nothing was held back; `share` where it was split off the training data. */
  readonly validation?: DataRecord & { readonly share?: number };
  readonly config: TrainingConfig;
  /** Of private training only. */
  readonly privacy?: PrivacyRecord;
  readonly environment: TrainingEnvironment;
  readonly epochs: readonly RecordedEpoch[];
  readonly outcome: {
    /** Epoch (from 0) whose weights the model has. */
    readonly epoch: number;
    /** Why it ended before its last epoch. */
    readonly stopped: string | null;
    /** Epochs that were over when another objective took over. */
    readonly fellBack: number | null;
  };
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly command: string | null;
}

/** The record of some data. */
export function dataRecord(source: string, { description, digest, n, notes }: Material): DataRecord {
  return { source, description, digest, n, notes };
}

/**
 * The record of a private run as it may be published with the model: without the figures that were computed on private samples without noise,
 * without the data's digest and notes, which may name values, and without how long epochs took, which depends on how many samples were drawn.
 */
export function publishable(record: TrainingRecord): TrainingRecord {
  return {
    ...record,
    data: { ...record.data, digest: null, notes: [] },
    epochs: record.epochs.map(({ validation }) => (validation ? { validation } : {})),
  };
}

/** Where the record of a model lies: `MODEL.training.json` beside it. */
export function recordPath(model: string): string {
  return `${model.replace(/\.onnx$/i, '')}.training.json`;
}
