import type { Rows } from './rows.ts';
import { slowChangeOf } from './slow-change.ts';
import type { History } from './spread.ts';

/** A change that takes less than this many milliseconds is sudden. */
const SLOW = 3_600_000;

/** Milliseconds and rows over which callers must have sent the same, and how much of what they send now. */
const LONG = 86_400_000;
const FEWEST = 30;
const SHARE = 0.5;

/**
 * How callers came to send what speaks for a shift: slowly over an hour or more ({@link slowChangeOf}), or just so for a day and longer. Undefined for what began at once, and where too little is known.
 *
 * @param before what they sent, now included
 * @param excess how much each of those rows speaks for the shift
 * @param since when the window began
 */
export function historyOf(before: Rows, excess: Float64Array, since: number): History | undefined {
  const change = slowChangeOf(before.at, excess, SLOW);
  if (change !== undefined)
    return { how: 'slow', words: `the change took ${timeOf(change.to - change.from)}` };
  let [old, oldSum, now, nowSum] = [0, 0, 0, 0];
  for (let i = 0; i < before.n; i++)
    if (before.at[i]! < since) {
      old++;
      oldSum += excess[i]!;
    } else {
      now++;
      nowSum += excess[i]!;
    }
  const span = since - before.at[0]!;
  if (old < FEWEST || now === 0 || span < LONG || oldSum / old < (SHARE * nowSum) / now) return undefined;
  return { how: 'as before', words: `they have sent the like for ${timeOf(span)}` };
}

/** For people. */
function timeOf(milliseconds: number): string {
  const hours = milliseconds / 3_600_000;
  return hours < 48 ? `${hours.toFixed(hours < 10 ? 1 : 0)} hours` : `${(hours / 24).toFixed(1)} days`;
}
