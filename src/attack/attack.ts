import type { Progress } from '../core/progress.ts';
import type { Rng } from '../core/random.ts';
import type { WhiteBoxTarget } from '../runtime/target.ts';
import type { Goal } from '../threat/goal.ts';
import type { Ball, Norm } from '../threat/norm.ts';

/** What a run of an attack is given; everything it may depend on. */
export interface AttackRun<Options> {
  readonly target: WhiteBoxTarget;
  readonly goal: Goal;
  readonly ball: Ball;
  /** Clean samples, row-major `[n, …sampleDims]`; read only. */
  readonly x0: Float32Array;
  /** Same shape, starts as a copy of `x0`: the attack writes its examples here. */
  readonly x: Float32Array;
  /** The samples to attack (indices into `x0`). */
  readonly todo: readonly number[];
  readonly options: Options;
  /** Samples in one run of the graph. */
  readonly batch: number;
  /** Random numbers of this attack on one sample. */
  rng(sample: number, ...keys: readonly (string | number)[]): Rng;
  readonly signal?: AbortSignal | undefined;
  readonly progress: Progress;
  /** Called once a sample is decided, so that results survive an interruption. */
  decided?(sample: number, reached: boolean): void;
}

/** An attack: a name, what it needs, and one function. */
export interface Attack<Options extends object = object> {
  readonly id: string;
  /** In words, for help and reports. */
  readonly title: string;
  readonly needs: 'gradient';
  readonly norms: readonly Norm[];
  readonly source: string;
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
