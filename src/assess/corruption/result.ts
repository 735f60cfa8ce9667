import type { RandomNoise } from '../../threat/corruption/random-noise.ts';

/** The version of the format, as the field `schema` carries it. */
export const CORRUPTION_SCHEMA = 'glacis.corruption/1';

/** What one corruption did. */
export interface CorruptionErrors {
  /** Id, e.g. `motion-blur`. */
  readonly corruption: string;
  /** Fraction of the samples that the model gets wrong, for each of the result's severities. */
  readonly errors: readonly number[];
  /** Mean of `errors`. */
  readonly meanError: number;
}

/** What plain random noise did. */
export interface NoiseError {
  readonly noise: RandomNoise;
  /** Radius of the Linf ball (`uniform`) or standard deviation (`gaussian`), in the model's input units. */
  readonly amount: number;
  /** Fraction of the samples that the model gets wrong. */
  readonly error: number;
}

/** Errors in units of another model's, as Hendrycks & Dietterich 2019 define them; above 1 is worse than that model. */
export interface RelativeErrors {
  /** Name of the model that the errors are measured by. */
  readonly baseline: string;
  readonly corruptions: readonly {
    readonly corruption: string;
    /** `CE_c = Σ_s E_{s,c} ∕ Σ_s E^baseline_{s,c}`; `null` where the baseline makes no error. */
    readonly corruptionError: number | null;
    /** The same with each model's clean error subtracted from its errors; `null` where the baseline loses nothing. */
    readonly relativeCorruptionError: number | null;
  }[];
  /** mCE: the mean of `corruptionError` where there is one; absent where there is none. */
  readonly meanCorruptionError?: number;
  /** Relative mCE: the mean of `relativeCorruptionError` where there is one. */
  readonly relativeMeanCorruptionError?: number;
}

/** What common corruptions and random noise did to a model; all numbers are fractions unless said otherwise. */
export interface CorruptionResult {
  readonly schema: typeof CORRUPTION_SCHEMA;
  readonly suite: 'evasion';
  readonly kind: 'corruption';
  /** Samples that every figure is about. */
  readonly n: number;
  readonly image: { readonly channels: number; readonly height: number; readonly width: number };
  /** Of the `n`, without a corruption. */
  readonly cleanAccuracy: number;
  /** Rising, of 1 to 5. */
  readonly severities: readonly number[];
  /** Corruptions that were run at every severity. */
  readonly corruptions: readonly CorruptionErrors[];
  /** Mean over corruptions and severities, not normalised; absent where no corruption was run. */
  readonly meanCorruptionError?: number;
  /** Interval of `meanCorruptionError`: 95 % confidence or more. */
  readonly confidence?: readonly [low: number, high: number];
  readonly noises: readonly NoiseError[];
  readonly relative?: RelativeErrors;
  /** Samples put through the model in all. */
  readonly queries: number;
  /** Wall-clock seconds. */
  readonly seconds: number;
  /** File with the outcome of every sample, relative to the result's own folder. */
  readonly perSample?: string;
  readonly notes?: readonly string[];
}
