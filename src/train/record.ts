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
  readonly digest: string;
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
  readonly environment: TrainingEnvironment;
  readonly epochs: readonly Epoch[];
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

/** Where the record of a model lies: `MODEL.training.json` beside it. */
export function recordPath(model: string): string {
  return `${model.replace(/\.onnx$/i, '')}.training.json`;
}
