import type { Alarm } from '../alarm.ts';
import type { MonitorState } from '../monitor.ts';
import type { Rows } from './rows.ts';

/** Part of a score, as {@link MonitorState} shows it. */
export type Part = MonitorState['parts'][number];

/** Something about a window that needs no threshold, such as a feature that became NaN. */
export interface Fault {
  /** The same for the same thing. */
  readonly subject: string;
  readonly title: string;
  readonly why: string;
  /** Whether the row shows it. */
  readonly shows: (row: number) => boolean;
}

/** What a window shows against the reference. */
export interface Verdict {
  /** −log₁₀ of the p-value, corrected for all tests in it: how surprising the window is if nothing moved. */
  readonly score: number;
  /** The strangest first, 64 at most. */
  readonly parts: readonly Part[];
  /** What moved: `age, income`. */
  readonly what: string;
  /** Sentences about it. */
  readonly why: string;
  readonly figures: Alarm['figures'];
  /** How much each row speaks for the shift, above what calm rows do on average. Its sum over all rows is what moved. */
  readonly excess: Float64Array;
  /** How far other rows lie in the same direction; by degrees, in any unit. */
  readonly speaks: (other: Rows) => Float64Array;
  readonly faults: readonly Fault[];
}

/** Compares windows with what was learnt from calm rows. */
export interface WindowTest {
  test(rows: Rows): Verdict;
  /** The same for a window that moves on row by row; not there for tests that need whole windows. */
  slide?(rows: number): Slider;
}

/** A window that moves on row by row. */
export interface Slider {
  push(values: ArrayLike<number>, offset: number): void;
  /** −log₁₀ p of the last rows; 0 until there are as many. */
  score(): number;
}

/** Most parts that are shown. */
export const MOST_PARTS = 64;

/** The largest score that is told: p-values below are rounding. */
const MOST_SCORE = 300;

/** −log₁₀ p. */
export function scoreOf(p: number): number {
  return p > 0 ? Math.min(MOST_SCORE, Math.max(0, -Math.log10(p))) : MOST_SCORE;
}

/** A figure for people: three significant digits. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6)
    ? value.toExponential(1)
    : String(Number(value.toPrecision(3)));
}
