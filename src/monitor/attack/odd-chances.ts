/**
 * Watches for the moment from which something happens more often than it may: a Shiryaev-Roberts e-detector over likelihood ratios, `M_t = (M_{t−1} + w) · L_t`, one for each suspected chance. As long as the
 * chance of the next event, given the past, is at most `usual` (which may be another number each time, if it is fixed before the event is seen), the sum of M exceeds the count of numbers by nothing on average: the
 * mean run until a false alarm at `c` is at least `c` numbers (Shin, Ramdas and Rinaldo 2024, "E-detectors").
 */
export interface OddChances {
  take(happened: boolean, usual: number): void;
  /** ln of the evidence; −∞ before the first number. */
  evidence(): number;
  /** ln of the evidence less what calm gives on average by now (the count of numbers): its exponential has a mean of at most 1 at any time, so that products over clients mean something. */
  excess(): number;
  /** The sums M, and how many numbers there were: what it is opened with again. */
  readonly capitals: Float64Array;
}

/** Length of {@link OddChances.capitals}. */
export const CAPITALS = 4;

/** Suspected chances: so many times the usual one, or half of the way from it to 1 where that is less. */
const TIMES = [3, 10, 40] as const;
const COUNT = TIMES.length;

/** Opens one, or goes on with what was kept. */
export function openOddChances(kept?: ArrayLike<number>): OddChances {
  const capitals = new Float64Array(CAPITALS);
  if (kept?.length === CAPITALS)
    for (let k = 0; k < CAPITALS; k++) capitals[k] = kept[k]! >= 0 && kept[k]! <= 1e150 ? kept[k]! : 0;
  const evidence = () => Math.log(capitals[0]! + capitals[1]! + capitals[2]!);
  return {
    capitals,
    take(happened, usual) {
      capitals[COUNT]!++;
      const p = Math.min(0.9, Math.max(1e-6, usual));
      for (let k = 0; k < TIMES.length; k++) {
        const q = Math.min(TIMES[k]! * p, (1 + p) / 2);
        const ratio = happened ? q / p : (1 - q) / (1 - p);
        capitals[k] = Math.min(1e150, (capitals[k]! + 1 / TIMES.length) * ratio);
      }
    },
    evidence,
    excess: () => evidence() - Math.log(Math.max(1, capitals[COUNT]!)),
  };
}
