import type { ExplainQuestion } from '../explain/messages.ts';
import type { ModelMetadata, Tensor } from '../oip/index.ts';

/** A version of a model that answers. */
export interface ServedModel {
  readonly name: string;
  readonly version: string;
  /** `sha256:…`: the root digest of what was loaded (or, of an upstream, what its operator pinned). */
  readonly digest: string;
  readonly metadata: ModelMetadata;
  /** Set where the model classifies: one main float input `[n, …sampleDims]`, one output `[n, classes]`. Guards rest on it. */
  readonly classifier?: Classifier | undefined;
  /**
   * Runs the model. All outputs come back, whatever was asked for, and `features` where the backend has them. Inputs were checked against
   * the metadata. Errors: `Refused` (`late`, `unavailable`, `failed`).
   */
  run(inputs: readonly Tensor[], options: RunOptions): Promise<ModelAnswer>;
  /**
   * How much each element of the main input speaks for an output: `[n, …sampleDims]` as it may be shown. Set where the model classifies, runs here and has a gradient, and its answers are to be
   * explained. Never on this thread. Errors: `Refused` (`late`, `unavailable`, `failed`).
   */
  readonly explain?: ((question: ExplainQuestion, signal: AbortSignal) => Promise<Float32Array>) | undefined;
}

/** What guards know of a classifier. */
export interface Classifier {
  readonly input: string;
  readonly sampleDims: readonly number[];
  readonly output: string;
  readonly classes: number;
  /** What the model's own metadata calls them, by number. */
  readonly names?: readonly string[] | undefined;
  /** What the output holds. */
  readonly gives: 'logits' | 'probabilities';
  /** Length of the features (what the last layer sees) where the backend gives them. */
  readonly features?: number | undefined;
}

/** Whose call a run is for. */
export interface RunFor {
  readonly principal: string;
  /** The id of the decision about it. */
  readonly decision: string;
  /** What the run is part of, for servers further on. */
  readonly traceparent?: string | undefined;
}

/** How a run is wanted. */
export interface RunOptions {
  /** Samples in the first axis; 1 where the model has no batch axis. */
  readonly n: number;
  readonly signal: AbortSignal;
  /** Latest start, in milliseconds of `performance.now()`. */
  readonly deadline?: number | undefined;
  /** Whether a guard asks for features. */
  readonly features: boolean;
  /** Named where the run does not end; nobody where the question is the gateway's own. */
  readonly by?: RunFor | undefined;
}

/** What the model said. */
export interface ModelAnswer {
  readonly outputs: readonly Tensor[];
  /** `[n, features]`, row-major. */
  readonly features?: Float32Array | undefined;
}
