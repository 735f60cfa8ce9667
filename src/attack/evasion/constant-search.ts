import type { Talk } from '../question.ts';

/** Searches from which on the last one takes the least constant that worked once more. */
const REPEAT_FROM = 10;
const LARGEST = 1e10;

/**
 * The search of Carlini & Wagner 2017 for the least constant `c` that weighs the goal against the distance: ten times as much until `attempt`
 * finds an example, then by halves between what did not and what did, `searches` times in all.
 */
export function* searchConstant(
  initial: number,
  searches: number,
  attempt: (c: number) => Talk<boolean>,
): Talk {
  let [c, lower, upper] = [initial, 0, Number.POSITIVE_INFINITY];
  for (let search = 1; search <= searches; search++) {
    if (search === searches && searches >= REPEAT_FROM) c = Math.min(upper, LARGEST);
    if (yield* attempt(c)) upper = c;
    else lower = c;
    c = upper === Number.POSITIVE_INFINITY ? c * 10 : (lower + upper) / 2;
  }
}
