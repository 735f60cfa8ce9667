/**
 * Bets against "the mean is at most m", for numbers in [0, 1] that come one by one. Each bet λ multiplies its capital by 1 + λ(x − m); if the mean of x, given all that came
 * before, is at most m, no betting makes money on average, so by Ville's inequality the capital ever reaches 1/α with probability at most α, however long and whenever one
 * looks. The bets of this list are held side by side (a mixture), because which is best depends on how far the mean is off.
 *
 * @see Waudby-Smith & Ramdas 2024, "Estimating means of bounded random variables by betting", JRSS B 86
 */
export function betsAgainst(m: number, count = 12): Float64Array {
  // λ < 1/m keeps capital positive even at x = 0; the smallest finds losses of about a thousandth of the spread.
  const most = 0.75 / Math.max(m, 1e-3);
  const least = Math.min(0.02, most / 4);
  return Float64Array.from({ length: count }, (_, k) => least * (most / least) ** (k / (count - 1)));
}

/** A running test of "the mean is at most m". */
export interface EProcess {
  /** Takes one number in [0, 1]. NaN counts as m: it says nothing. */
  take(x: number): void;
  /** ln of the capital: evidence. The probability that e^evidence ever reaches 1/α is at most α if the mean is at most m. */
  readonly evidence: number;
  readonly n: number;
}

/** Opens an {@link EProcess} with capital 1 spread evenly over the bets. */
export function openEProcess(m: number, bets: Float64Array = betsAgainst(m)): EProcess {
  const logs = new Float64Array(bets.length).fill(-Math.log(bets.length));
  let n = 0;
  return {
    get n() {
      return n;
    },
    get evidence() {
      return logOfSum(logs);
    },
    take(x) {
      n++;
      const gap = clipped(x, m) - m;
      for (let k = 0; k < bets.length; k++) logs[k]! += Math.log1p(bets[k]! * gap);
    },
  };
}

/** x in [0, 1]; what is no number says nothing. */
export function clipped(x: number, m: number): number {
  return x >= 0 ? (x <= 1 ? x : 1) : x < 0 ? 0 : m;
}

/** ln Σ eˣ. */
export function logOfSum(logs: Float64Array): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const value of logs) if (value > most) most = value;
  if (!Number.isFinite(most)) return most;
  let sum = 0;
  for (const value of logs) sum += Math.exp(value - most);
  return most + Math.log(sum);
}
