import { throwIfCancelled } from '../core/cancel.ts';
import { fourier } from './fft.ts';
import type { Grid } from './grid.ts';
import type { PrivateRun } from './private-run.ts';
import { type StepDistribution, stepDistribution } from './step-distribution.ts';
import type { Direction } from './subsampled-gaussian.ts';

/** The privacy loss of all steps of all runs together, tilted: the probability of a loss `s` is `tilted · e^(log − θs)`. */
export interface ComposedLoss {
  readonly grid: Grid;
  /** Tilted probabilities; place `i` is the loss `(grid.first + i)·grid.h`. */
  readonly tilted: Float64Array;
  readonly log: number;
  /** No tilted probability is further from the exact one than this, in sum over what wraps around and rounding alone. */
  readonly error: number;
  /**
   * Relative error of all tilted probabilities beside that: probabilities of single steps have only such errors, and sums of
   * products of positive numbers keep them so.
   */
  readonly relative: number;
  /** Probability of an infinite loss. */
  readonly infinite: number;
  /** Bound on the probability of losses beyond the window's right end. */
  readonly beyond: number;
  /** Bound on what losses before the window add to delta, because the transform wraps them around to the right end. */
  readonly before: number;
  /** Log of a bound on `E[e^((θ + toWrapped) S)]`, for what the transform wraps around from beyond the window. */
  readonly logWrapped: number;
  /** Bound on the probability that any step was cut off. */
  readonly cutOff: number;
  /** Steps of all runs together. */
  readonly steps: number;
  /** Bound on the sum of the rounding errors of all losses. */
  readonly shift: number;
}

/** Half the distance of 1 to the next double. */
const UNIT = 2 ** -53;

/** Relative error of one probability of one step: rounding of its nodes and of their sum, and the rule's error. */
const OF_MASS = 1e-12;

/**
 * Composes all steps of `runs` on `grid`: each run's tilted distribution is transformed, raised to its number of steps, and
 * the product transformed back. The tilt makes the transform's rounding small beside delta, however small that is; without
 * it, no delta below about 1e-10 could be told from noise. All errors are bounded, none is estimated.
 *
 * @param runs without equal ones
 * Errors: `privacy/precision`, `run/cancelled`. Cost: a transform for each run and one back.
 */
export function composedLoss(
  runs: readonly PrivateRun[],
  direction: Direction,
  grid: Grid,
  signal?: AbortSignal,
): ComposedLoss {
  const { n, theta, toRight, toWrapped, h } = grid;
  const transform = fourier(n);
  // The input is real, so the second half of the transform mirrors the first.
  const half = n / 2 + 1;
  const product = { logSize: new Float64Array(half), angle: new Float64Array(half) };
  const bound = { logSize: new Float64Array(half), error: new Float64Array(half) };
  const total = {
    log: 0,
    right: 0,
    wrapped: 0,
    logError: 0,
    relative: 0,
    infinite: 0,
    cutOff: 0,
    steps: 0,
    shift: 0,
  };
  for (const run of runs) {
    throwIfCancelled(signal, 'privacy accounting');
    const step = stepDistribution(run, direction, grid);
    const { steps } = run;
    const log = logMoment(step, h, theta);
    const { re, im } = folded(step, grid, log);
    transform.transform(re, im);
    const error = 6 * Math.log2(n) * UNIT;
    for (let k = 0; k <= n / 2; k++) {
      const size = Math.sqrt(re[k]! * re[k]! + im[k]! * im[k]!);
      product.logSize[k]! += steps * Math.log(size);
      product.angle[k] = (product.angle[k]! + steps * Math.atan2(im[k]!, re[k]!)) % (2 * Math.PI);
      bound.logSize[k]! += steps * Math.log(size + error);
      bound.error[k]! += (steps * error) / (size + error);
    }
    total.log += steps * log;
    total.right += steps * logMoment(step, h, theta + toRight);
    total.wrapped += steps * logMoment(step, h, theta + toWrapped);
    total.logError += steps * (OF_MASS + 8 * UNIT * (theta + toRight + toWrapped) * step.largest);
    total.relative += steps * (OF_MASS + 8 * UNIT * (1 + theta * step.largest));
    total.infinite += steps * step.infinite;
    total.cutOff += steps * step.cutOff;
    total.steps += steps;
    total.shift += steps * roundingOfLoss(step, run, grid);
  }
  const re = new Float64Array(n);
  const im = new Float64Array(n);
  let [sum, error] = [0, 0];
  for (let k = 0; k <= n / 2; k++) {
    const mirror = (n - k) % n;
    const times = mirror === k ? 1 : 2;
    const size = Math.exp(product.logSize[k]!);
    re[k] = size * Math.cos(product.angle[k]!);
    im[k] = size * Math.sin(product.angle[k]!);
    re[mirror] = re[k]!;
    im[mirror] = mirror === k ? im[k]! : -im[k]!;
    sum += times * size;
    // (|F| + e)^T − |F|^T ≤ T e (|F| + e)^(T−1); the second term is the rounding of power, angle and product.
    error += times * (Math.exp(bound.logSize[k]!) * bound.error[k]! + 16 * UNIT * total.steps * size);
  }
  transform.transform(re, im, true);
  const first = ((grid.first % n) + n) % n;
  const tilted = new Float64Array(n);
  for (let i = 0; i < n; i++) tilted[i] = re[(first + i) % n]! / n;
  return {
    grid,
    tilted,
    log: total.log,
    error: (error + 6 * Math.log2(n) * UNIT * sum) / n,
    relative: total.relative,
    infinite: total.infinite,
    // Chernoff: P(S ≥ b) ≤ E[e^(tS)] e^(−tb).
    beyond: Math.exp(total.right + total.logError - (theta + toRight) * (grid.first + n) * h),
    // A loss s that lands at s + width weighs e^(−θ·width) of its probability there, as the tilt is that of s.
    before: Math.exp(-theta * n * h),
    logWrapped: total.wrapped + total.logError,
    cutOff: total.cutOff,
    steps: total.steps,
    shift: total.shift,
  };
}

/** `log Σ mass·e^(θ·loss)`. */
function logMoment({ first, mass }: StepDistribution, h: number, theta: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < mass.length; i++)
    if (mass[i]! > 0) most = Math.max(most, Math.log(mass[i]!) + theta * (first + i) * h);
  let sum = 0;
  for (let i = 0; i < mass.length; i++)
    if (mass[i]! > 0) sum += Math.exp(Math.log(mass[i]!) + theta * (first + i) * h - most);
  return most + Math.log(sum);
}

/** The tilted distribution of one step, wrapped around to the transform's length. */
function folded(
  { first, mass }: StepDistribution,
  { n, h, theta }: Grid,
  log: number,
): { readonly re: Float64Array; readonly im: Float64Array } {
  const re = new Float64Array(n);
  for (let i = 0; i < mass.length; i++) {
    if (mass[i]! === 0) continue;
    const place = (((first + i) % n) + n) % n;
    re[place]! += Math.exp(Math.log(mass[i]!) + theta * (first + i) * h - log);
  }
  return { re, im: new Float64Array(n) };
}

/** Bound on the rounding error of one step's loss: that of the place where it is measured, and its own. */
function roundingOfLoss({ largest }: StepDistribution, { noise }: PrivateRun, { reach }: Grid): number {
  return 16 * UNIT * largest * (1 + (1 + reach * noise) / (noise * noise));
}
