import type { z } from 'zod';

/** Samples together with what the model made of them; rows are row-major. */
export interface Observations {
  readonly n: number;
  /** `[n, …sampleDims]`. */
  readonly x: Float32Array;
  /** `[n, classes]`, as the model gives them. */
  readonly scores: Float32Array;
  /** `[n, features]`: what the last layer saw. */
  readonly features?: Float32Array | undefined;
}

/** What a detector knows of the model that it watches. */
export interface Watched {
  readonly sampleDims: readonly number[];
  readonly classes: number;
  readonly gives: 'logits' | 'probabilities';
  /** Length of a row of features, where there are any. */
  readonly features?: number | undefined;
  /** Least and greatest value of an input, where that is known. */
  readonly range?: readonly [number, number] | undefined;
  /** Further passes: `[n, …sampleDims]` to `[n, classes]`. */
  readonly ask?: ((x: Float32Array, n: number) => Promise<Float32Array>) | undefined;
}

/** A score for each sample, the higher the stranger; NaN where there is none, which counts as strangest. */
export type Scorer = (seen: Observations) => Float64Array | Promise<Float64Array>;

/**
 * Tells strange samples from calm ones by a score. What it learns from calm samples is data (`Fit`, which JSON can hold), so that it can be kept in a
 * calibration file; it decides nothing: thresholds are set elsewhere, on samples that it did not learn from.
 */
export interface Detector<Fit> {
  readonly id: string;
  /** What it looks at: the inputs, the model's scores, the last layer's features, or answers to further questions. */
  readonly needs: 'inputs' | 'scores' | 'features' | 'answers';
  /** Reads a fit that was kept; bounded, unknown keys refused. */
  readonly kept: z.ZodType<Fit>;
  /** Learns from calm samples. Errors: `option/invalid` (the model does not suit), `data/mismatch` (the samples do not). */
  fit(calm: Observations, watched: Watched): Fit;
  /** Errors: `option/invalid` where the fit is of another model. */
  open(fit: Fit, watched: Watched): Scorer;
}

/** Declares a detector. */
export function defineDetector<Fit>(detector: Detector<Fit>): Detector<Fit> {
  return Object.freeze(detector);
}
