import { THRESHOLDS } from './thresholds.ts';

/** Why a check that follows gradients saw nothing. */
export const NO_GRADIENTS = 'Only the answers of this model are visible, and no gradient.';

/** Why a check that looks around right answers saw nothing. */
export const NO_SAMPLES = 'There was no right answer to look at.';

/** "64 samples". */
export const samples = (n: number): string => `${n} ${n === 1 ? 'sample' : 'samples'}`;

/** "3 of 64 samples". */
export const of = (count: number, n: number): string => `${count} of ${samples(n)}`;

/** A share as a percentage. */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Whether `count` of `n` is at least `share` of them, and not a single one. */
export const isMany = (count: number, n: number, share: number): boolean =>
  count >= Math.max(THRESHOLDS.fewest, share * n);

/** The middle of some numbers (the upper one of two); NaN of none. */
export function middleOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
