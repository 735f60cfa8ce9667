/** What a monitor sees of one call: what the log of decisions holds of it, and a sketch of the inputs of some calls. Plain data: it crosses threads. */
export interface Sighting {
  /** The decision's id. */
  readonly id: string;
  /** Its index in the log, where it is known. */
  readonly entry?: number | undefined;
  /** Milliseconds since 1970 at which the call arrived. Sightings may come late, twice or out of order. */
  readonly at: number;
  readonly principal: string | undefined;
  readonly tenant: string | undefined;
  readonly credential: string | undefined;
  readonly address: string;
  readonly model: string;
  readonly version: string | undefined;
  readonly digest: string | undefined;
  /** Samples in the call. */
  readonly n: number;
  /** `answered`, or the name of a refusal. */
  readonly outcome: string;
  readonly because?: string | undefined;
  readonly detail?: string | undefined;
  readonly guards: readonly {
    readonly guard: string;
    readonly action: string;
    readonly score: number;
    readonly because?: string | undefined;
  }[];
  /** Statistics of the main input, over the whole batch. */
  readonly input?:
    | {
        readonly shape: readonly number[];
        readonly mean: number;
        readonly deviation: number;
        readonly least: number;
        readonly most: number;
      }
    | undefined;
  /** Likeliest class and its score of each sample, up to 64 samples. */
  readonly top?: readonly (readonly [label: number, score: number])[] | undefined;
  /** Disagreement with the verifying model, where it was asked. */
  readonly divergence?: number | undefined;
  /** Milliseconds from arrival to answer, rounded up to 1, 2, 5, 10, 20, 50 … */
  readonly bucket: number;
  /** Sketches of samples of this call, where it was drawn for that. */
  readonly sketch?: Sketch | undefined;
}

/**
 * Features of samples, small enough for every call: a tabular sample as it is; of a picture the means of a grid of cells and its statistics. Which is which says
 * the {@link SketchPlan} of the model.
 */
export interface Sketch {
  /** Row-major `[rows, width]`. May hold NaN and infinities: the caller is hostile. */
  readonly values: Float32Array;
  readonly rows: number;
  readonly width: number;
  /** Which sample of the batch each row is of. */
  readonly samples: readonly number[];
}

/** The truth about a sample, told late by whoever learns it. */
export interface TrueLabel {
  /** The decision's id. */
  readonly decision: string;
  /** Which sample of its batch. */
  readonly sample: number;
  readonly label: number;
  /** Milliseconds since 1970 at which it was told. */
  readonly at: number;
}
