/** How well an attacker tells the classes by one answer's time. */
export interface Guessing {
  /** The probability that a time of class b looks more like b than one of class a does. */
  readonly auc: number;
  /** 95 %, DeLong, within 0 to 1. */
  readonly interval: readonly [number, number];
  /** Share of right guesses on an even mix; ½ is chance. */
  readonly accuracy: number;
}

const Z = 1.959964;

/**
 * An attacker who learns on every other pair how likely each bin is under each class, and guesses on the rest. The score is the
 * likelihood ratio, so leaks count that do not just make one class slower; learnt and judged on different pairs, so none is
 * invented. Interval: DeLong, DeLong, Clarke-Pearson 1988, on the bins' counts.
 */
export function guessing(a: Uint16Array, b: Uint16Array, bins: number): Guessing {
  const count = (values: Uint16Array, half: 0 | 1) => {
    const counts = new Float64Array(bins);
    for (let i = half; i < values.length; i += 2) counts[values[i]!]!++;
    return counts;
  };
  const [learntA, learntB] = [count(a, 0), count(b, 0)];
  // A pseudo-count of ½, so that an empty bin is not certainty.
  const score = learntA.map((n, k) => Math.log((learntB[k]! + 0.5) / (n + 0.5)));
  const [seenA, seenB] = [count(a, 1), count(b, 1)];
  const order = [...score.keys()].sort((i, j) => score[i]! - score[j]!);
  const nA = seenA.reduce((sum, n) => sum + n, 0);
  const nB = seenB.reduce((sum, n) => sum + n, 0);
  if (nA < 2 || nB < 2) return { auc: 0.5, interval: [0, 1], accuracy: 0.5 };
  // Bins of one score are ties.
  const groups: { readonly a: number; readonly b: number }[] = [];
  let last = Number.NaN;
  for (const k of order) {
    const before = score[k] === last ? groups.pop()! : { a: 0, b: 0 };
    groups.push({ a: before.a + seenA[k]!, b: before.b + seenB[k]! });
    last = score[k]!;
  }
  let [belowA, belowB, auc, squareA, squareB] = [0, 0, 0, 0, 0];
  for (const { a: here, b: there } of groups) {
    // The share of a's below one b of this group, and of b's above one a.
    const placeB = (belowA + here / 2) / nA;
    const placeA = 1 - (belowB + there / 2) / nB;
    auc += (there / nB) * placeB;
    squareB += there * placeB ** 2;
    squareA += here * placeA ** 2;
    belowA += here;
    belowB += there;
  }
  const spread = (squares: number, n: number) => Math.max(0, squares / n - auc ** 2) / (n - 1);
  const half = Z * Math.sqrt(spread(squareA, nA) + spread(squareB, nB));
  let right = 0;
  for (let k = 0; k < bins; k++) right += score[k]! > 0 ? seenB[k]! : score[k]! < 0 ? seenA[k]! : 0;
  let undecided = 0;
  for (let k = 0; k < bins; k++) if (score[k] === 0) undecided += seenA[k]! + seenB[k]!;
  return {
    auc,
    interval: [Math.max(0, auc - half), Math.min(1, auc + half)],
    accuracy: (right + undecided / 2) / (nA + nB),
  };
}
