import type { z } from 'zod';
import type { Detail } from './detail.ts';
import type { Principal } from './principal.ts';
import type { Classifier } from './served-model.ts';

/** Scores on their way out: `[n, classes]`, row-major, probabilities or logits as `gives` says. */
export interface Scores {
  readonly values: Float32Array;
  readonly n: number;
  readonly classes: number;
  readonly gives: Classifier['gives'];
}

/** What an output guard knows. */
export interface Shaping {
  readonly principal: Principal;
  /** The most that rights and budget allow. */
  readonly detail: Detail;
  /** SHA-256 of the model's inputs as floats, one per sample: the same input is always shaped alike. */
  readonly inputDigests: () => readonly Uint8Array[];
  /** The model's inputs as floats, `[n, …sampleDims]`; not to be written to. */
  readonly inputs: () => Float32Array;
}

/** An answer whose class was changed, for the proof of theft later. */
export interface Mark {
  readonly principal: string;
  /** Hexadecimal: where the input lies for the watermark; near-identical inputs share it. */
  readonly cell: string;
  /** The class that the model gave, and the one that was answered. */
  readonly from: number;
  readonly to: number;
  /** The sample as the model saw it: a copy. */
  readonly input: Float32Array;
}

/** What an output guard is made from. */
export interface OutputSetting {
  readonly classifier: Classifier;
  /** At least 32 random bytes; each guard derives its own key from it. */
  readonly secret: Uint8Array;
  /** Is told of each answer that was marked. Must not throw or wait. */
  readonly marked?: ((mark: Mark) => void) | undefined;
}

/** Changes what an answer gives away. The class with the highest score stays the same unless its documentation says otherwise. */
export interface OutputGuard {
  readonly name: string;
  shape(scores: Scores, shaping: Shaping): Scores;
}

/** One kind of output guard: one file, one factory. */
export interface OutputGuardKind<Options> {
  readonly name: string;
  readonly about: string;
  readonly options: z.ZodType<Options>;
  /** Errors: `option/invalid` where the model does not suit. */
  make(options: Options, setting: OutputSetting): OutputGuard;
}
