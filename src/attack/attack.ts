import type { Progress } from '../core/progress.ts';
import type { Rng } from '../core/random.ts';
import type { Oracle } from '../runtime/oracle.ts';
import type { QueryCount, WhiteBoxTarget } from '../runtime/target.ts';
import type { Goal } from '../threat/goal.ts';
import type { ImageDims } from '../threat/image-dims.ts';
import type { Ball, Norm } from '../threat/norm.ts';
import type { OtherThreat } from '../threat/other-threat.ts';

/** What an attacker must see of a model: its gradients, its scores, or only which answers are right. */
export const NEEDS = ['gradient', 'scores', 'labels'] as const;

/** One of {@link NEEDS}. */
export type Needs = (typeof NEEDS)[number];

/** What the samples of a data set are. */
export interface SampleForm {
  readonly sampleDims: readonly number[];
  /** Shape of one sample as a picture, where it is one. */
  readonly image: ImageDims | undefined;
}

/** Numbers that all examples of a run have in common, e.g. one perturbation for all of them. */
export interface Shared {
  /** Name of the array in files of examples. */
  readonly name: string;
  readonly dims: readonly number[];
}

/** What a run of an attack is given; everything it may depend on. */
export interface AttackRun<Options> {
  /** The whole model. Attacks that need no gradient do not use it, and there is none behind an endpoint: see {@link whiteBoxOf}. */
  readonly target: WhiteBoxTarget | undefined;
  /** Another model, for attacks whose examples are made there and only tried on this one. */
  readonly surrogate?: WhiteBoxTarget | undefined;
  /** The model as something that answers. Whoever asks it counts into {@link queries}. */
  readonly oracle: Oracle;
  readonly queries: QueryCount;
  readonly goal: Goal;
  /** What an example may be. For minimum-norm attacks `eps` is the largest radius of interest and limits nothing. */
  readonly ball: Ball;
  /** Shape of one sample as a picture, where it is one. */
  readonly image: ImageDims | undefined;
  /** Clean samples, row-major `[n, …sampleDims]`; read only. */
  readonly x0: Float32Array;
  /** Same shape, starts as a copy of `x0`: the attack writes its examples here. */
  readonly x: Float32Array;
  /** Parameters of each example, `[n, threat.parameters.length]`, for attacks with a threat of their own; starts at zero. */
  readonly parameters: Float32Array;
  /**
   * For attacks with {@link Attack.shared}: the attack writes it here. It starts at zero, or, where `isKnown`, as an interrupted run
   * has left it, and then it must not be changed: earlier examples were made with it.
   */
  readonly shared?: { readonly values: Float32Array; readonly isKnown: boolean } | undefined;
  /** The samples to attack (indices into `x0`). */
  readonly todo: readonly number[];
  readonly options: Options;
  /** Samples in one run of the graph. */
  readonly batch: number;
  /**
   * Whether whoever runs the attack judges every example by itself. Then an attack need not ask about a point that is its answer in any case; it tells
   * {@link decided} that such a sample was not reached.
   */
  readonly isJudged?: boolean | undefined;
  /** Random numbers of this attack on one sample. */
  rng(sample: number, ...keys: readonly (string | number)[]): Rng;
  readonly signal?: AbortSignal | undefined;
  readonly progress: Progress;
  /**
   * Called once a sample is decided, so that results survive an interruption, with how often the model was asked about it and
   * what did it, where the attack consists of several.
   */
  decided?(sample: number, reached: boolean, queries?: number, by?: string): void;
}

/** An attack: a name, what it needs, and one function. */
export interface Attack<Options extends object = object> {
  readonly id: string;
  /** In words, for help and reports. */
  readonly title: string;
  readonly needs: Needs;
  /**
   * What it looks for: an example inside the ball (`ball`), the nearest example there is (`minimum`: one run serves every eps), or
   * one in a threat of its own (`other`: spatial, patch, …; norm and eps mean nothing to it).
   */
  readonly seeks: 'ball' | 'minimum' | 'other';
  /** Norms that it works in; empty for `other`. */
  readonly norms: readonly Norm[];
  /** The threat of an attack that seeks `other`. */
  readonly threat?: OtherThreat<Options>;
  /** What all its examples share, where they share something. Errors: where samples are not what the attack needs. */
  shared?(form: SampleForm, options: Options): Shared;
  /** Names of its parts, where it consists of several attacks. */
  readonly parts?: readonly string[];
  /** Where it is published. */
  readonly source: string;
  /** One or two sentences for docs/attacks.md: when to use it. */
  readonly use: string;
  readonly defaults: Options;
  /** Checks merged options. Errors: `option/invalid`. */
  check(options: Options): void;
  /** Gradients and evaluations per sample that never falls, for estimates. */
  cost(options: Options): { readonly gradients: number; readonly evaluations: number };
  /** Writes adversarial examples over rows of `x`. What it claims does not count: the runner verifies. */
  run(run: AttackRun<Options>): Promise<void>;
}

/** Declares an attack. */
export function defineAttack<Options extends object>(attack: Attack<Options>): Attack<Options> {
  return Object.freeze(attack);
}
