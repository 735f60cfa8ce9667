import type { z } from 'zod';
import type { Tensor } from '../oip/index.ts';
import type { Principal } from './principal.ts';
import type { Classifier, ServedModel } from './served-model.ts';

/** What a guard sees before the model runs. Row-major; nothing here may be written to. */
export interface GuardedInput {
  readonly model: ServedModel;
  readonly classifier: Classifier | undefined;
  readonly principal: Principal;
  /** The remote address; empty where it is not known. */
  readonly address: string;
  /** Samples in the request. */
  readonly n: number;
  readonly inputs: readonly Tensor[];
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  /** The main input as float32 `[n, …sampleDims]`, made once; undefined where the model is no classifier. */
  readonly floats: () => Float32Array | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What a guard sees after the model has run. */
export interface GuardedAnswer extends GuardedInput {
  /** The output as it is, `[n, classes]`. */
  readonly scores: () => Float32Array | undefined;
  /** `[n, features]` where some guard asked for them and the backend has them. */
  readonly features: Float32Array | undefined;
}

/** What should happen to a call, the mildest first. */
export const ACTIONS = ['pass', 'flag', 'degrade', 'refuse'] as const;

/** One of {@link ACTIONS}. `flag`: recorded and counted; `degrade`: the label alone is answered; `refuse`: nothing is. */
export type Action = (typeof ACTIONS)[number];

/** A guard's word on a call. */
export interface GuardVerdict {
  readonly action: Action;
  /** What the guard measured, the higher the stranger, in the guard's own unit: it goes to the log. */
  readonly score: number;
  /** For the log, never for the caller. */
  readonly because?: string | undefined;
}

/** A guard of one model. What it remembers is bounded. */
export interface InputGuard {
  readonly name: string;
  /** Whether it looks at the inputs alone, or at the answer as well. */
  readonly phase: 'before' | 'after';
  /** Whether it wants the features of the last layer. */
  readonly features?: boolean;
  /** Of a guard with a threshold: a score above it is an alarm, and this is what it does then. */
  readonly alarm?: { readonly threshold: number; readonly action: Action };
  judge(call: GuardedInput & Partial<GuardedAnswer>): GuardVerdict | Promise<GuardVerdict>;
  /** Of a guard that remembers callers: everything it remembers, for {@link GuardSetting.remembered} after a restart. It tells who asked what: keep it as secret as the log. */
  snapshot?(): Uint8Array;
  close?(): Promise<void>;
}

/** What a guard is made from. */
export interface GuardSetting {
  readonly model: ServedModel;
  /** What `glacis calibrate` measured for this guard; undefined where it was not calibrated. */
  readonly calibration: unknown;
  /** Further passes of the model, for guards that need them: `[n, …sampleDims]` to `[n, classes]`. */
  readonly ask: (x: Float32Array, n: number) => Promise<Float32Array>;
  /** What the guard of this name gave as its snapshot before, for this model; undefined where there is nothing. */
  readonly remembered?: ((guard: string) => Uint8Array | undefined) | undefined;
  /** Seconds that the process knows of, for tests; `Date.now` otherwise. */
  readonly now: () => number;
}

/** One kind of guard: one file, one factory. */
export interface GuardKind<Options> {
  readonly name: string;
  /** What it stops, in a sentence. */
  readonly about: string;
  readonly options: z.ZodType<Options>;
  /** Whether it wants the features of the last layer: the model is opened with them then. */
  readonly features?: boolean;
  /** Errors: `option/invalid` where the model does not suit, or a calibration is missing that it cannot do without. */
  make(options: Options, setting: GuardSetting): InputGuard;
}
