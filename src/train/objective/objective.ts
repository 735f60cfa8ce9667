import type { Value } from '../../onnx/graph-builder.ts';
import type { Constraint } from '../../threat/constraint.ts';
import type { Cotangent } from '../../transform/gradient/vjp.ts';
import type { Ops } from '../../transform/ops.ts';
import type { Criterion } from '../criterion/criterion.ts';
import type { CheckedThreat } from './threat.ts';

/**
 * What one step of training learns from a batch: the samples as they are, attacked ones, or both. Written once into the step's
 * graph, so that an inner attack runs with the weights of that very step and never leaves the runtime.
 */
export interface Objective {
  readonly name: string;
  /** Everything that it depends on, for records. */
  readonly options: Readonly<Record<string, number | boolean | string>>;
  /**
   * Whether the gradient of a batch is the sum of those of its parts, so that threads may compute parts on their own. Not so where
   * something is kept from batch to batch or norms of whole gradients count.
   */
  readonly isAdditive: boolean;
  /** An attack that the trainer makes between steps, in place of one in the graph: the step then takes attacked samples. */
  readonly outside?: OutsideAttack;
  /** What {@link Scene.setting} gives when this share of all steps, in [0, 1), is done. */
  settings?(done: number): Readonly<Record<string, number>>;
  write(scene: Scene): Lesson;
}

/** An attack that is no part of the graph, because its constraint is none. */
export interface OutsideAttack {
  readonly threat: CheckedThreat;
  readonly constraint: Constraint;
  readonly climbs: Climbs;
  /** Radius and step length when this share of all steps is done. */
  settings(done: number): { readonly eps: number; readonly stepSize: number };
}

/**
 * What an inner attack makes large: the criterion's loss; the divergence of the attacked sample's answer from the clean one's; or nothing,
 * because the objective's own graph moves a perturbation that it keeps, which only has to be projected.
 */
export type Climbs = 'loss' | 'divergence' | 'kept';

/** Where an {@link Objective} writes. */
export interface Scene {
  readonly b: Ops;
  /** Samples `[B, …]`. */
  readonly x: Value;
  /** The samples as {@link Objective.outside} leaves them, `[B, …]`. */
  attacked(): Value;
  readonly targets: Value;
  readonly criterion: Criterion;
  /** The weights that are trained, as the step holds them. */
  readonly weights: readonly Value[];
  /** The network's outputs `[B, K]` for other inputs. */
  forward(x: Value, how?: ForwardOptions): Value;
  /** Random numbers of the shape of `x`, drawn anew in each step for each sample by its own stream. */
  draw(name: string, kind: DrawKind): Value;
  /** A float32 scalar that {@link Objective.settings} sets in each step. */
  setting(name: string): Value;
  /** An array that is kept from step to step, all zeros before the first. */
  kept(name: string, dims: readonly number[]): Value;
}

/** How {@link Scene.forward} runs the network. */
export interface ForwardOptions {
  /** With statistics of the batch and dropout (`training`, unless given), or as it is deployed. */
  readonly as?: 'training' | 'deployed';
  /** Other weights, in the order of {@link Scene.weights}. */
  readonly weights?: readonly Value[];
}

/** Kinds of random numbers: uniform in [−1, 1], standard normal. */
export type DrawKind = 'uniform' | 'normal';

/** What {@link Objective.write} gives. */
export interface Lesson {
  /** Loss of each sample, `[B]`. */
  readonly losses: Value;
  /** Gradients of the sum of the losses with respect to values of the graph, from which those of the weights follow. */
  readonly seeds: readonly Cotangent[];
  /** Values that count as constants, such as attacked samples. */
  readonly constants?: readonly Value[];
  /** What to differentiate with respect to in place of {@link Scene.weights}, in their order. */
  readonly wrt?: readonly Value[];
  /** Whether each sample is right as it is, `[B]` bool. */
  readonly hits?: Value;
  /** Whether each sample is right when attacked, `[B]` bool. */
  readonly robustHits?: Value;
  /** Other values whose gradients {@link keeps} needs. */
  readonly beside?: readonly Value[];
  /** What kept arrays hold after the step, by name, from the gradients with respect to {@link beside}. */
  readonly keeps?: (gradients: readonly Value[]) => Readonly<Record<string, Value>>;
}
