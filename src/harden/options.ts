import type { AssessOptions } from '../assess/index.ts';
import type { Level } from '../assess/levels.ts';
import type { Spec } from '../core/options.ts';
import type { Epoch, StepFigures } from '../train/journal.ts';
import type { MaterialOptions } from '../train/material.ts';
import type { PrivateWishes } from '../train/plan/private-training.ts';
import type { TrainingWishes } from '../train/plan/training.ts';
import type { PrivateEpoch } from '../train/private/journal.ts';

/** What a hardening is for: to withstand attacks, to give no training sample away, or both at once. */
export const GOALS = ['robust', 'private', 'both'] as const;

/** One of {@link GOALS}. */
export type HardeningGoal = (typeof GOALS)[number];

/** What a private hardening may spend and rests on. */
export interface PrivateHardening {
  /** What takes the place of the plan's choices. Without epsilon and noise: {@link USUAL_EPSILON}. */
  readonly wishes: PrivateWishes;
  /** The user's word that what is kept of the model's file was not learned from the training data: all, or with `reinitialise` what cannot be drawn. */
  readonly publicWeights: boolean;
  readonly ledger: { readonly path: string; readonly most?: number | undefined };
}

/** Spent by a private hardening unless something else is asked for. */
export const USUAL_EPSILON = 3;

/** What to harden, against what, and in which time. */
export interface HardenOptions {
  readonly goal: HardeningGoal;
  /** Path of the ONNX file. */
  readonly model: string;
  /** Data to learn from. */
  readonly data: string;
  /** Data to measure on, before and after; none of it is learned from. */
  readonly test: string;
  readonly reading: Omit<MaterialOptions, 'input' | 'signal'>;
  readonly norm: 'linf' | 'l2';
  /** Radius; 8/255 of the range of pictures without. */
  readonly eps?: number | undefined;
  /** File with what attacked samples must satisfy, in training (goals `robust` and `both`) and when measured. */
  readonly constraint?: string | undefined;
  /** Seconds for everything. */
  readonly budget: number;
  /** What takes the place of the plan's choices; of the goal `robust` only. */
  readonly wishes: TrainingWishes;
  /** Of the goals `private` and `both`, and needed there. */
  readonly privacy?: PrivateHardening | undefined;
  /** Attacks before and after; those of `level` without (for the goal `private` FGSM alone). */
  readonly attacks?: readonly Spec[] | undefined;
  readonly level: Level;
  /** Test samples to attack. */
  readonly tested: number;
  readonly floatTwin: boolean;
  readonly reinitialise: boolean;
  readonly seed: number;
  /** Folder for everything that is written; it exists. */
  readonly out: string;
  /** Goes on from what an interrupted run left in `out`. */
  readonly resume: boolean;
  readonly threads?: number | undefined;
  readonly command?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly say: (line: string) => void;
  readonly progress: NonNullable<AssessOptions['progress']>;
  readonly onEpoch: (epoch: Epoch | PrivateEpoch, number: number) => void;
  readonly onStep: (figures: StepFigures) => void;
}
