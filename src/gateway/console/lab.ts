import type { Classifier } from '../served-model.ts';
import type { LabAttackInfo, LabInfo, LabRun } from './api.ts';

/** A model that attacks can be tried on, as it is served now. */
export interface LabModel {
  readonly model: string;
  readonly version: string;
  /** The root digest of what is served: another file is not tried. */
  readonly digest: string;
  readonly classifier: Classifier;
  /** Where its files lie; undefined for one on another server or in a registry, which is only asked. */
  readonly source?:
    | { readonly path: string; readonly entry?: string | undefined; readonly ignore: readonly string[] }
    | undefined;
  /** Answers `[n, classes]` as the model gives them, while nobody else waits for it. */
  ask(points: Float32Array, n: number, signal: AbortSignal): Promise<Float32Array>;
}

/** What somebody wants tried. */
export interface LabOrder {
  readonly attack: string;
  readonly norm: string;
  readonly eps: number;
  /** One sample, row-major. */
  readonly values: Float32Array;
  /** The class that the sample is of. */
  readonly label: number;
  /** Integrated gradients in place of gradient × input. */
  readonly integrated: boolean;
}

/** What came of it. */
export type LabOutcome = Omit<
  LabRun,
  'id' | 'state' | 'because' | 'progress' | 'model' | 'attack' | 'norm' | 'eps' | 'label' | 'original'
>;

/** What is known of a model beside its file. */
export interface LabAbout {
  readonly range: readonly [number, number];
}

/**
 * Tries attacks on single inputs, beside the service and never in it. The gateway does not carry attacks: whoever opens it hands this in. Runs come one after
 * another, each with bounded time and memory, in a process of their own.
 */
export interface Lab {
  readonly attacks: readonly LabAttackInfo[];
  /** Most elements of a sample. */
  readonly mostElements: number;
  about(model: string): LabAbout;
  /** Inputs to begin with; none where the configuration names none. Errors: those of reading data. */
  inputs(model: LabModel): Promise<LabInfo['inputs']>;
  /** Errors: `option/invalid`, `run/failed`, `run/cancelled`, those of opening a model. */
  run(
    model: LabModel,
    order: LabOrder,
    watch: { readonly progress: (share: number) => void; readonly signal: AbortSignal },
  ): Promise<LabOutcome>;
  close(): Promise<void>;
}
