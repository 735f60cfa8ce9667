/**
 * How many numbers a detector must on average go without a false alarm, so that no more than `perDay` come at the traffic of now. Time is that of the sightings, which may come late or out of order.
 */
export interface RunLength {
  /** Takes the time of a number that is tested. */
  take(at: number): void;
  /** ln of the run length; the least while little is known. */
  log(): number;
  /** Numbers a day. */
  perDay(): number;
}

const DAY = 86_400_000;

/**
 * A run is never shorter than this, however quiet the traffic: a first alarm after a day of ten calls would convince nobody, and what is assumed of calm clients is never quite true (measured: the calm traffic of bench/suites/monitors.ts
 * reached e¹³ where e¹² would have done).
 */
const LEAST = 5e8;

/** Milliseconds until what was is half forgotten. */
const HALF = 3_600_000;

/** Opens one. */
export function openRunLength(perDay: number, kept = 0): RunLength {
  let rate = kept;
  let [start, last, count] = [Number.NaN, Number.NaN, 0];
  return {
    take(at) {
      count++;
      if (Number.isNaN(start)) [start, last] = [at, at];
      last = Math.max(last, at);
      const span = last - start;
      if (span < 60_000) return;
      const now = (count / span) * DAY;
      const weight = rate === 0 ? 1 : 1 - 0.5 ** (span / HALF);
      rate += weight * (now - rate);
      [start, count] = [last, 0];
    },
    log: () => Math.log(Math.max(LEAST, rate / perDay)),
    perDay: () => rate,
  };
}
