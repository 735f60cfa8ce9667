import { RUN } from '../drift/runs.ts';

/** What one caller sent in a run. */
export interface CallerRun {
  /** The mean of its numbers. */
  readonly x: number;
  readonly caller: string;
  readonly group: string;
  /** The decision with the largest number. */
  readonly decision: string;
  /** When the last of them came. */
  readonly at: number;
}

/** Gathers numbers in runs. */
export interface CallerRuns {
  /** Takes a number; gives the runs that are over by now. */
  take(x: number, caller: string, group: string, decision: string, at: number): readonly CallerRun[];
}

/** A run is over after this many milliseconds, and earlier where so many are open; it also is after a silence of {@link RUN}. */
const LONGEST = 60_000;
const MOST_OPEN = 4096;

const NONE: readonly CallerRun[] = [];

/**
 * Makes one number of what a caller sends in a run: frames of a camera, retries and bursts are alike, and a test of means that took each for news would find a rise in every one of them. Numbers are held back for up to a minute (of the times of
 * calls). Memory: 4,096 callers.
 */
export function openCallerRuns(): CallerRuns {
  const open = new Map<
    string,
    { sum: number; n: number; most: number; first: number; last: number; group: string; decision: string }
  >();
  return {
    take(x, caller, group, decision, at) {
      if (!Number.isFinite(x) || !Number.isFinite(at)) return NONE;
      let over: CallerRun[] | undefined;
      const end = (name: string, run: NonNullable<ReturnType<typeof open.get>>) => {
        over ??= [];
        open.delete(name);
        const { sum, n, group, decision: largest, last } = run;
        over.push({ x: sum / n, caller: name, group, decision: largest, at: last });
      };
      // The oldest first.
      for (const [name, run] of open) {
        if (at - run.first < LONGEST && open.size < MOST_OPEN) break;
        end(name, run);
      }
      const before = open.get(caller);
      if (before !== undefined && Math.abs(at - before.last) >= RUN) end(caller, before);
      const own = open.get(caller);
      if (own === undefined)
        open.set(caller, { sum: x, n: 1, most: x, first: at, last: at, group, decision });
      else {
        own.sum += x;
        own.n++;
        own.last = Math.max(own.last, at);
        if (x > own.most) {
          own.most = x;
          own.decision = decision;
        }
      }
      return over ?? NONE;
    },
  };
}
