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
  make(
    options: Options,
    setting: { readonly classifier: Classifier; readonly secret: Uint8Array },
  ): OutputGuard;
}
