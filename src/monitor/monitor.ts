import type { z } from 'zod';
import type { Alarm } from './alarm.ts';
import type { Sighting, TrueLabel } from './sighting.ts';

/** Watches one model. What it remembers is bounded, whoever asks; the same sighting twice counts once where that matters. Never throws on what callers sent. */
export interface Monitor {
  readonly name: string;
  /** Takes calls in the order in which they came. */
  see(sightings: readonly Sighting[]): readonly Alarm[];
  /** Takes truths. Most monitors have no use for them. */
  learn?(labels: readonly TrueLabel[]): readonly Alarm[];
  /** How it stands, for the console. Cheap. */
  state(): MonitorState;
  /** Everything that it remembers, for {@link MonitorSetting.remembered}. */
  snapshot(): Uint8Array;
}

/** How a monitor stands. */
export interface MonitorState {
  readonly monitor: string;
  readonly model: string;
  /** `learning`: it has no reference yet; `watching`; `alarmed`: beyond the threshold now; `blind`: something is missing, `because` says what. */
  readonly phase: 'learning' | 'watching' | 'alarmed' | 'blind';
  readonly because?: string | undefined;
  readonly score: number | undefined;
  readonly threshold: number | undefined;
  /** Score over time, the oldest first, 500 at most. */
  readonly series: readonly (readonly [at: number, score: number])[];
  /** False alarms that it may give a day at the traffic of now, and what was measured on calm data; undefined where nothing was. */
  readonly falseAlarms?:
    | { readonly budgetPerDay: number; readonly measuredPerDay?: number; readonly on: number }
    | undefined;
  /** The parts of the score: features with their own statistics, the strangest first, 64 at most; or the most suspicious callers. */
  readonly parts: readonly {
    readonly name: string;
    readonly score: number;
    readonly p?: number | undefined;
    /** Histograms over the same bins, of the reference and of now. */
    readonly bins?: readonly number[] | undefined;
    readonly reference?: readonly number[] | undefined;
    readonly current?: readonly number[] | undefined;
  }[];
}

/** What a monitor is made from. */
export interface MonitorSetting {
  readonly model: string;
  readonly version: string | undefined;
  readonly digest: string | undefined;
  /** Classes of the model; undefined where it is no classifier. */
  readonly classes: number | undefined;
  /** Names of the features of a sketch. */
  readonly features: readonly string[];
  /** What was measured on calm traffic for this monitor (`glacis monitor calibrate`); undefined where nothing was. */
  readonly calibration: unknown;
  /** Calm sightings to learn from, the oldest first; empty where the first traffic is to be the reference. */
  readonly calm: readonly Sighting[];
  /** Its snapshot from before; undefined where there is none. One that does not fit is ignored. */
  readonly remembered?: Uint8Array | undefined;
  readonly seed: number;
  /** Fresh ids of alarms. */
  readonly freshId: () => string;
}

/** One kind of monitor: one file, one factory. */
export interface MonitorKind<Options> {
  readonly name: string;
  /** What it notices, in a sentence. */
  readonly about: string;
  readonly options: z.ZodType<Options>;
  make(options: Options, setting: MonitorSetting): Monitor;
  /** Measures calm traffic (`setting.calm`): what {@link MonitorSetting.calibration} is from then on, as JSON. Undefined where there is too little of it, or nothing to measure. `labels` are the truths about it, as far as they are known. */
  calibrate?(
    options: Options,
    setting: MonitorSetting,
    more?: { readonly labels?: readonly TrueLabel[] | undefined },
  ): unknown;
}
