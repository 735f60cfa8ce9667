import type { ErrorCode } from '../core/error.ts';
import type { AttributionMethod } from './attributions.ts';

/** A model whose answers are explained: one float input, one output of scores. */
export interface ExplainedModel {
  /** The network as one file. */
  readonly bytes: Uint8Array;
  readonly input: string;
  readonly output: string;
  readonly sampleDims: readonly number[];
}

/** What is asked of the process. */
export interface ExplainQuestion {
  /** `[n, …sampleDims]`, row-major. */
  readonly x: Float32Array;
  /** The output of each sample that is explained. */
  readonly outputs: readonly number[];
  readonly method: AttributionMethod;
  readonly baseline: number;
  readonly decimals: number;
}

/** What the process is told. */
export type ToExplainer =
  | {
      readonly kind: 'open';
      readonly model: ExplainedModel;
      /** Most bytes of the process, resident. */
      readonly memory: number;
    }
  | { readonly kind: 'explain'; readonly question: ExplainQuestion };

/** What the process says: one answer to each message, in order. */
export type FromExplainer =
  | { readonly kind: 'opened' }
  /** `[n, …sampleDims]`. */
  | { readonly kind: 'explained'; readonly values: Float32Array }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };
