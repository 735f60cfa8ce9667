import type { Ball } from './norm.ts';

/**
 * What an example must satisfy beside ball and bounds: only some places may change, values must survive being saved in 8 bit,
 * a table's columns must stay possible, a series must stay believable.
 *
 * Every point that an attack asks the model about is a projected copy of the attack's own, which stays free: a step shorter than a
 * level would otherwise be rounded back for ever. the runner checks every example with {@link violation},
 * whatever the attack did.
 */
export interface Constraint {
  /** `mask`, `8-bit`, `tabular`, `series`, or several joined by `+`. */
  readonly id: string;
  /** In words, for reports. */
  readonly title: string;
  /** 1 for each element of a row that may change at all; every element may where there is none. */
  readonly free?: Uint8Array | undefined;
  /**
   * Moves the row `x[offset … offset + length)` to a nearby point that satisfies the constraint *and* lies in ball and bounds around the
   * clean row, which starts at `cleanOffset` of `clean` and is never changed. A row that satisfies all three stays as it is, bit for
   * bit. Sound because the clean row itself satisfies all: there always is such a point.
   */
  project(
    x: Float32Array,
    offset: number,
    clean: Float32Array,
    cleanOffset: number,
    length: number,
    ball: Ball,
  ): void;
  /** Why the row does not satisfy the constraint, in a few words, or `undefined`. Arguments as {@link project}. */
  violation(
    x: Float32Array,
    offset: number,
    clean: Float32Array,
    cleanOffset: number,
    length: number,
  ): string | undefined;
  /**
   * Why no real sample looks like the row `x[offset … offset + length)`, in a few words, or `undefined`: what the constraint says of a row by itself, without an
   * allowance for what its clean row does. A request that nobody has a clean row of is held against this.
   */
  impossible?(x: Float32Array, offset: number, length: number): string | undefined;
}
