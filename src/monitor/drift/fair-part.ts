import { openCallerShares } from './caller-shares.ts';
import { openPace } from './pace.ts';
import type { WindowedOptions } from './windowed-options.ts';
import type { WindowedSubject } from './windowed-subject.ts';

/** The part of a window that a caller may have at once, and how many times its share of the traffic it may have in all. */
const AT_ONCE = 0.02;
const TIMES = 2;

/** How much of a window is whose. */
export interface FairPart {
  /** Counts rows of these callers from before. */
  know(callers: Iterable<string>): void;
  /** Whether a row of a caller is to be taken into the window. */
  takes(caller: string, at: number): boolean;
  /** A new window begins. */
  begin(): void;
}

/**
 * Keeps a window from being filled by one caller's burst. A caller may have twice the share of the rows that it had before the window, or, where that is more, a fiftieth of the least window at once and from then on as many rows a second as would fill the window by
 * themselves in its shortest time. So an even caller loses nothing, one who is suddenly alone is still looked at window by window, and a burst of a minute is a twelfth of a window of 300 rows in 15 minutes where it was all of it.
 * What is left out costs nothing, and what is taken counts once, as in a window without bursts. Cost: a look into a map. Memory: 4,096 callers.
 *
 * @param window its least rows, and its shortest time in seconds: 0 takes every row
 */
export function openFairPart(window: Pick<WindowedOptions, 'rows' | 'seconds'>): FairPart {
  const { rows, seconds } = window;
  if (seconds === 0) return { know() {}, takes: () => true, begin() {} };
  const most = Math.max(1, AT_ONCE * rows);
  const perMillisecond = rows / (1000 * seconds);
  const count = openCallerShares(() => ({ credit: most, at: Number.NaN, turn: -1, share: 0, held: 0 }));
  let [turn, taken] = [0, 0];
  return {
    know(callers) {
      for (const each of callers) count(each);
    },
    takes(caller, at) {
      const { own, share } = count(caller);
      // A clock that was set back only begins anew.
      if (at > own.at) own.credit = Math.min(most, own.credit + perMillisecond * (at - own.at));
      own.at = at;
      if (own.turn !== turn) [own.turn, own.share, own.held] = [turn, share, 0];
      if (own.credit >= 1) own.credit--;
      else if (own.held >= TIMES * own.share * taken) return false;
      own.held++;
      taken++;
      return true;
    },
    begin() {
      turn++;
      taken = 0;
    },
  };
}

/** The rows that a monitor takes: at its pace where it looks again and again, in fair parts where it looks window by window. */
export function openTaking(
  { online }: Pick<WindowedSubject, 'online'>,
  options: Pick<WindowedOptions, 'rows' | 'seconds'>,
): FairPart {
  return online ? { know() {}, takes: openPace(online.gap), begin() {} } : openFairPart(options);
}
