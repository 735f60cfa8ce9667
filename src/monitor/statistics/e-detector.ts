import { betsAgainst, clipped } from './betting.ts';

/** Watches for the moment from which a mean is above m. */
export interface EDetector {
  /** Takes one number in [0, 1]; true where the alarm is due. NaN says nothing. `usual` is another m for this number, such as that of the hour: what was known before it came. */
  take(x: number, usual?: number): boolean;
  /** The evidence: the alarm is due at the run length. */
  readonly total: () => number;
  /** Begins anew, as after an alarm. */
  reset(): void;
  /** What it remembers, to open it again with. */
  readonly capitals: Float64Array;
}

/**
 * A Shiryaev-Roberts e-detector: a new test of "the mean is at most m" begins with every number, and their capitals are summed. As long as the mean, given the past, is at most
 * m, the sum exceeds the count by nothing on average, so that the average run until a false alarm is at least `runLength` numbers, whatever the distribution and however the
 * numbers depend on each other. After an alarm it begins anew, so false alarms come at most once in `runLength` numbers in the long run.
 *
 * M_t = Σ_k (M_{t−1,k} + w_k)(1 + λ_k(x − m)). Cost: a dozen multiplications a number. `m` is the largest that any number may have.
 *
 * @see Shin, Ramdas & Rinaldo 2024, "E-detectors: a nonparametric framework for sequential change detection", New England Journal of Statistics in Data Science 2
 */
export function openEDetector(
  m: number,
  runLength: number,
  {
    bets = betsAgainst(m),
    capitals,
  }: { readonly bets?: Float64Array; readonly capitals?: ArrayLike<number> | undefined } = {},
): EDetector {
  const weight = 1 / bets.length;
  const state =
    capitals?.length === bets.length ? Float64Array.from(capitals, sane) : new Float64Array(bets.length);
  let total = state.reduce((sum, value) => sum + value, 0);
  return {
    total: () => total,
    capitals: state,
    reset() {
      state.fill(0);
      total = 0;
    },
    take(x, usual = m) {
      const gap = clipped(x, usual) - usual;
      total = 0;
      for (let k = 0; k < bets.length; k++) {
        const next = (state[k]! + weight) * (1 + bets[k]! * gap);
        state[k] = next;
        total += next;
      }
      // Held below what float64 can hold: the alarm is due long before.
      if (!(total < MOST)) {
        total = 0;
        for (let k = 0; k < bets.length; k++) {
          state[k] = Math.min(MOST / bets.length, state[k]!);
          total += state[k]!;
        }
      }
      return total >= runLength;
    },
  };
}

/** The most that evidence is. */
const MOST = 1e150;

/** From a file: a capital is a finite number of 0 or more. */
function sane(value: number): number {
  return value >= 0 && value <= MOST ? value : 0;
}
