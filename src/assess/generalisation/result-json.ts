import { amount, type Check, count, fraction, list, object, pair, rule } from '../json-check.ts';

const within = (low: number, high: number) =>
  rule(`a number from ${low} to ${high}`, (v) => typeof v === 'number' && v >= low && v <= high);

/** A {@link import('../compare/comparison.ts').Rate} as it stands in a result file. */
export const rateCheck: Check = object(
  { n: count, right: count, accuracy: fraction, confidence: pair },
  ({ n, right, accuracy }: { n: number; right: number; accuracy: number }) => {
    if (right > n) return `expected at most ${n} right, got ${right}`;
    const expected = n === 0 ? 0 : right / n;
    return Math.abs(accuracy - expected) > 1e-9
      ? `expected accuracy ${expected}, got ${accuracy}`
      : undefined;
  },
);

/** A {@link import('../calibration/calibration.ts').Calibration} as it stands in a result file. */
export const calibrationCheck: Check = object({
  n: count,
  accuracy: fraction,
  confidence: fraction,
  nll: amount,
  brier: within(0, 2),
  ece: fraction,
  eceEqualMass: fraction,
  bins: list(
    object({ from: fraction, to: fraction, n: count, confidence: fraction, accuracy: fraction }),
    1000,
  ),
});

const difference = object({
  difference: within(-1, 1),
  interval: rule(
    'two numbers from -1 to 1',
    (v) => Array.isArray(v) && v.length === 2 && v.every((x) => typeof x === 'number' && Math.abs(x) <= 1),
  ),
});

const population = object(
  { rate: rateCheck, calibration: calibrationCheck },
  ({ rate, calibration }: { rate: { n: number }; calibration: { n: number } }) =>
    rate.n === calibration.n
      ? undefined
      : `expected figures on ${rate.n} samples, got some on ${calibration.n}`,
);

/** A {@link import('./generalisation.ts').Generalisation} as it stands in a result file. */
export const generalisationCheck: Check = object({
  members: population,
  others: population,
  accuracyGap: difference,
  confidenceGap: difference,
  lossGap: rule('a finite number', Number.isFinite),
  membership: object({
    threshold: amount,
    truePositives: rateCheck,
    falsePositives: rateCheck,
    advantage: difference,
    auc: fraction,
  }),
});
