/**
 * Which of two neighbouring data sets the model was trained on: `remove`: the one with the additional sample (an attacker
 * wants to know whether removing it would change anything), `add`: the one without.
 */
export type Direction = 'add' | 'remove';

/**
 * One step of private training as the worst pair of distributions that it can show to anybody (Zhu, Dong and Wang 2022):
 * without the sample, noise around 0; with it, a mixture of noise around 0 and around 1. Lengths are in clipping norms.
 * The privacy loss is the log of the ratio of their densities, and `s` is the place where it is measured, turned around for
 * `add` so that the loss rises with `s`.
 */
export interface LossOfStep {
  /** The loss at `s`. */
  lossAt(s: number): number;
  /** The place of a loss; `-Infinity` and `Infinity` for losses that do not occur. */
  placeOf(loss: number): number;
  /** Log of the density of `s` on the data set that was trained on. */
  logDensity(s: number): number;
}

/** The privacy loss of one step with sampling rate `q` and noise multiplier `sigma`. */
export function lossOfStep(q: number, sigma: number, direction: Direction): LossOfStep {
  const variance = sigma * sigma;
  const logNorm = -Math.log(sigma) - 0.5 * Math.log(2 * Math.PI);
  const logNormal = (x: number) => logNorm - (0.5 * x * x) / variance;
  const mixture = (x: number) => logMixture(q, (x - 0.5) / variance);
  if (direction === 'remove')
    return {
      lossAt: mixture,
      placeOf: (loss) => 0.5 + variance * inverseLogMixture(q, loss),
      logDensity: (s) => logNormal(s) + mixture(s),
    };
  return {
    lossAt: (s) => -mixture(-s),
    placeOf: (loss) => -0.5 - variance * inverseLogMixture(q, -loss),
    logDensity: logNormal,
  };
}

/** Beyond this, `eʸ` is so large that another form is better. */
const LARGE = 30;

/** `log(1 − q + q eʸ)`. */
function logMixture(q: number, y: number): number {
  if (q === 1) return y;
  return y > LARGE
    ? y + Math.log(q) + Math.log1p(((1 - q) / q) * Math.exp(-y))
    : Math.log1p(q * Math.expm1(y));
}

/** The `y` with `log(1 − q + q eʸ) = t`; `-Infinity` for `t ≤ log(1 − q)`. */
function inverseLogMixture(q: number, t: number): number {
  if (q === 1) return t;
  if (t > LARGE) return t - Math.log(q) + Math.log1p(-(1 - q) * Math.exp(-t));
  const ratio = Math.expm1(t) / q;
  return ratio > -1 ? Math.log1p(ratio) : Number.NEGATIVE_INFINITY;
}
