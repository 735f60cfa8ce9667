import { GlacisError } from '../core/error.ts';
import { type AccountingOptions, epsilonFor } from './accountant.ts';
import {
  checkDelta,
  checkEpsilon,
  checkNoise,
  checkRate,
  checkSteps,
  MOST_STEPS,
  NOISE_RANGE,
  type PrivateRun,
} from './private-run.ts';
import type { PrivacyStatement } from './statement.ts';

/** What must be kept. */
export interface PrivacyTarget {
  readonly epsilon: number;
  readonly delta: number;
  /** Runs on the same data that count as well, such as those of the ledger. */
  readonly before?: readonly PrivateRun[];
}

/** A run that keeps the target, and what it promises together with the runs before it. */
export interface Calibrated {
  readonly run: PrivateRun;
  readonly statement: PrivacyStatement;
}

/** The result is this close to the best, relative. */
const CLOSE = 1e-4;

/**
 * The least noise multiplier with which `steps` steps at sampling rate `rate` keep `target`, to four digits; never too small.
 * Errors: as {@link epsilonFor}; `privacy/budget` where no noise multiplier up to 10,000 is enough.
 * Cost: some ten accounts.
 */
export function noiseFor(
  { rate, steps }: Pick<PrivateRun, 'rate' | 'steps'>,
  target: PrivacyTarget,
  options: AccountingOptions = {},
): Calibrated {
  checkRate(rate, 'noiseFor');
  checkSteps(steps, 'noiseFor');
  const { least, most } = NOISE_RANGE;
  // Privacy falls with 1/noise, so that is what is made as large as it may be.
  return calibrated(
    (x) => ({ rate, steps, noise: sixDigits(1 / x, Math.ceil) }),
    [1 / most, 1 / least],
    target,
    options,
  );
}

/**
 * The largest number of steps that keeps `target`, exactly up to 10,000 and to four digits beyond; never too large.
 * Errors and cost: as {@link noiseFor}; `privacy/budget` where a single step is too much.
 */
export function stepsFor(
  { rate, noise }: Pick<PrivateRun, 'rate' | 'noise'>,
  target: PrivacyTarget,
  options: AccountingOptions = {},
): Calibrated {
  checkRate(rate, 'stepsFor');
  checkNoise(noise, 'stepsFor');
  const before = (target.before ?? []).reduce((sum, run) => sum + run.steps, 0);
  return calibrated(
    (x) => ({ rate, noise, steps: Math.floor(x * (1 + 1e-12)) }),
    [1, MOST_STEPS - before],
    target,
    options,
    1,
  );
}

/**
 * The largest sampling rate that keeps `target`, to four digits; never too large.
 * Errors and cost: as {@link noiseFor}; `privacy/budget` where even a rate of 10⁻⁹ is too much.
 */
export function rateFor(
  { noise, steps }: Pick<PrivateRun, 'noise' | 'steps'>,
  target: PrivacyTarget,
  options: AccountingOptions = {},
): Calibrated {
  checkNoise(noise, 'rateFor');
  checkSteps(steps, 'rateFor');
  return calibrated(
    (rate) => ({ rate: sixDigits(rate, Math.floor), noise, steps }),
    [1e-9, 1],
    target,
    options,
  );
}

/** `value` with six digits, so that it can be typed in again, rounded by `round`. */
function sixDigits(value: number, round: (value: number) => number): number {
  const exponent = Math.floor(Math.log10(value)) - 5;
  // Through text, because powers of ten are no doubles; what is near a whole number of units stays it.
  const units = Number((value * 10 ** -exponent).toPrecision(12));
  return Number(`${round(units)}e${exponent}`);
}

/** A number and whether its run keeps the target. */
interface Trial {
  readonly x: number;
  readonly statement: PrivacyStatement;
  /** Log of epsilon over its target: at most 0 is good. */
  readonly excess: number;
}

/**
 * The largest `x` in `range` whose run keeps the target. The RDP accountant, which promises no more than the PLD accountant,
 * finds a first `x` from below; between a good and a bad one the search goes on by false position in the logs (Illinois).
 */
function calibrated(
  runOf: (x: number) => PrivateRun,
  [least, most]: readonly [number, number],
  { epsilon, delta, before = [] }: PrivacyTarget,
  options: AccountingOptions,
  apart = 0,
): Calibrated {
  checkEpsilon(epsilon, 'target epsilon');
  checkDelta(delta);
  const trial =
    (how: AccountingOptions) =>
    (x: number): Trial => {
      const statement = epsilonFor([...before, runOf(x)], delta, how);
      return { x, statement, excess: Math.log(Math.max(statement.epsilon, 1e-300) / epsilon) };
    };
  const quick = trial({ ...options, accountant: 'rdp' });
  const [quickGood] = search(quick, [least, most], apart);
  let good = quickGood;
  if (options.accountant !== 'rdp') {
    const exact = trial(options);
    const start = quickGood?.x ?? least;
    [good] = search(exact, [start, Math.min(most, Math.max(1.2 * start, start + apart))], apart, most);
  }
  if (!good)
    throw new GlacisError(
      'privacy/budget',
      `target: expected an epsilon that these runs can keep, got ${epsilon} at delta ${delta}; ${reason(quick(least), before)}`,
    );
  return { run: runOf(good.x), statement: good.statement };
}

function reason({ statement }: Trial, before: readonly PrivateRun[]): string {
  const { rate, noise, steps } = statement.runs.at(-1)!;
  const spent = before.length > 0 ? ' with the runs before it' : '';
  return `even rate ${rate}, noise ${noise} and ${steps} steps${spent} have epsilon ${statement.epsilon.toPrecision(6)}`;
}

/** The largest good `x` between `low` and `most`, and the least bad one; either may be missing. */
function search(
  trial: (x: number) => Trial,
  [low, high]: readonly [number, number],
  apart: number,
  most = high,
): readonly [Trial | undefined, Trial | undefined] {
  let good = trial(low);
  if (good.excess > 0) return [undefined, good];
  let bad = trial(high);
  while (bad.excess <= 0) {
    if (bad.x >= most) return [bad, undefined];
    good = bad;
    bad = trial(Math.min(most, 2 * bad.x));
  }
  // Illinois: an end that stays twice counts half.
  let [goodWeight, badWeight, lastGood] = [1, 1, undefined as boolean | undefined];
  for (let i = 0; i < 100 && bad.x - good.x > Math.max(apart, CLOSE * good.x); i++) {
    const [a, b] = [good.excess * goodWeight, bad.excess * badWeight];
    const share = i % 3 === 2 ? 0.5 : Math.min(0.95, Math.max(0.05, a / (a - b)));
    let x = Math.exp(Math.log(good.x) + share * Math.log(bad.x / good.x));
    if (apart > 0) x = Math.min(bad.x - 1, Math.max(good.x + 1, Math.round(x)));
    const next = trial(x);
    const isGood = next.excess <= 0;
    if (isGood) [good, goodWeight, badWeight] = [next, 1, lastGood === true ? badWeight / 2 : badWeight];
    else [bad, badWeight, goodWeight] = [next, 1, lastGood === false ? goodWeight / 2 : goodWeight];
    lastGood = isGood;
  }
  return [good, bad];
}
