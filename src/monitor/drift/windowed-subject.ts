import type { Sighting } from '../sighting.ts';
import type { Rows } from './rows.ts';
import type { WindowTest } from './window-test.ts';

/** Takes the row at `offset` of `values`. */
export type Offer = (
  values: ArrayLike<number>,
  offset: number,
  principal: string,
  decision: string,
  at: number,
) => void;

/** What tells one monitor that compares windows from another. */
export interface WindowedSubject {
  readonly name: string;
  /** Numbers of a row; text says what is missing. */
  readonly width: number | string;
  readonly features: readonly string[];
  /** Gives the rows of a call. Not there where rows come from elsewhere. */
  take?(sighting: Sighting, offer: Offer): void;
  /** How runs of what is alike are told; without, every row says something of its own. */
  readonly runs?: 'inputs' | 'moments' | undefined;
  /** Learns the reference. Never throws, whatever the numbers. */
  test(calm: Rows): WindowTest;
  /** The title of an alarm about `what`. */
  title(what: string): string;
  /** What is to be said beside, such as what else could explain it. */
  readonly advice: string;
  /** Looks at the last rows again and again, every `stride` rows, instead of window by window; rows that come sooner than `gap` milliseconds after the one before are left out. */
  readonly online?: { readonly stride: number; readonly gap: number } | undefined;
}
