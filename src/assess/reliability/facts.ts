import type { Task } from '../../threat/goal.ts';
import type { Ball } from '../../threat/norm.ts';
import type { Obstacles } from '../../transform/obstacles.ts';
import type { GradientPath } from './gradient-path.ts';
import type { LocalView } from './local-probe.ts';

/** What the attacks of an assessment did at one radius, in right answers. */
export interface AttackFacts {
  /** Samples that the model got right before. */
  readonly right: number;
  /** How many of them gradient attacks changed; `undefined` where none ran. */
  readonly gradient: number | undefined;
  /** The same of attacks that see no gradient. */
  readonly withoutGradients: number | undefined;
  /** How many only attacks without gradients changed. */
  readonly missed: number;
  /** Of those, how many gradient attacks tried again, harder, and how many they still missed. */
  readonly again?: { readonly tried: number; readonly missed: number } | undefined;
  /** Examples made on another model: how many met a sample that gradient attacks left standing, and how many changed it. */
  readonly transfer?: { readonly tried: number; readonly missed: number } | undefined;
  /** An attack of one step beside others: how many it changed, and how many of those no other gradient attack did. */
  readonly oneStep?: { readonly fell: number; readonly missed: number } | undefined;
  /** Gradient attacks ran with rounding passed straight through. */
  readonly straightThrough: boolean;
  /** Gradient attacks averaged over several answers. */
  readonly averaged: boolean;
}

/** What the checks are drawn from. */
export interface ReliabilityFacts {
  readonly task: Task;
  readonly ball: Ball;
  readonly attacks: AttackFacts;
  /** What stands in a gradient's way; `undefined` where only answers are visible. */
  readonly obstacles: Obstacles | undefined;
  /** What lies around some right answers; `undefined` without gradients. */
  readonly views: readonly LocalView[] | undefined;
  /** Gradient ascent on the same samples. */
  readonly paths: readonly GradientPath[] | undefined;
  /** The same with rounding passed straight through, where the graph has steps. */
  readonly eased: readonly GradientPath[] | undefined;
  /**
   * Where functions saturate on the way: of each sample that stood the ascent, 1 if one along the gradient of wider functions reached the goal, less 1
   * if another along the exact gradient did.
   */
  readonly gentle: readonly number[] | undefined;
  /** For each path, whether any attack of the assessment had changed the sample. */
  readonly fallen: readonly boolean[];
  /** Samples that attacks left standing: how many were tried with noise, how many of those fell, and whether gradient attacks had run. */
  readonly noise:
    | { readonly tried: number; readonly fell: number; readonly afterGradients: boolean }
    | undefined;
  /** The deployed model gave different answers to the same samples. */
  readonly randomised: boolean;
}
