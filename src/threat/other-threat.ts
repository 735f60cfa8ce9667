import type { Constraint } from './constraint.ts';
import type { ImageDims } from './image-dims.ts';

/** Threats that are no norm ball. */
export const OTHER_THREATS = ['spatial', 'semantic', 'composite', 'patch', 'wasserstein'] as const;

/** One of {@link OTHER_THREATS}. */
export type OtherThreatId = (typeof OTHER_THREATS)[number];

/** What the runner knows about a sample when it checks an example. */
export interface OtherExample<Options> {
  /** The example. */
  readonly x: Float32Array;
  /** The clean sample. */
  readonly x0: Float32Array;
  readonly image: ImageDims | undefined;
  readonly bounds: readonly [number, number];
  /** What it must satisfy beside; attacks move what they make onto it. */
  readonly constraint?: Constraint | undefined;
  readonly options: Options;
  /** What the attack says it did, one number per name in {@link OtherThreat.parameters}. */
  readonly parameters: Float32Array;
  /** What all examples of the run share; empty for most attacks. */
  readonly shared: Float32Array;
}

/**
 * A threat model of an attack's own: what it may do to a sample, as a check that does not trust the attack. Where the change has few
 * parameters (an angle, a shift, a hue), the check applies them again and compares.
 */
export interface OtherThreat<Options> {
  readonly id: OtherThreatId;
  /** Names of an example's parameters, e.g. `angle`, `dx`, `dy`. */
  readonly parameters: readonly string[];
  /** The budget in one number, for results and curves, e.g. the largest angle in degrees. */
  size(options: Options): number;
  /** The budget in words, e.g. `up to 30° and 3 pixels`. */
  describe(options: Options): string;
  /** Why the example breaks the threat model, in a few words, or `undefined`. */
  violation(example: OtherExample<Options>): string | undefined;
}
