import { GlacisError } from '../core/error.ts';
import { type ComposedLoss, composedLoss } from './composed-loss.ts';
import { GIVEN_UP, type GridOptions, gridFor, type Target } from './grid.ts';
import { normalTail } from './normal-tail.ts';
import type { PrivateRun } from './private-run.ts';
import { deltaFromRdp, RDP_ORDERS, rdpCurve } from './rdp-accountant.ts';
import type { Direction } from './subsampled-gaussian.ts';

/** An epsilon or delta between two bounds that both hold. */
export interface PldBound {
  /** It is at most this: what is promised. */
  readonly upper: number;
  /** It is at least this. */
  readonly lower: number;
  /** The direction that decides: whether a sample was removed or added. */
  readonly direction: Direction;
}

/** How accurate the PLD accountant is. */
export interface PldOptions {
  /** Wanted distance of the two bounds, relative to epsilon. Default 0.005. */
  readonly accuracy?: number;
  /** Most places of the composed distribution, rounded down to a power of two; limits the time. Default 2²⁰. */
  readonly mostPlaces?: number;
  /** Stops the work between two runs. */
  readonly signal?: AbortSignal | undefined;
}

/** Below this delta is refused: doubles hold such numbers, but nothing that is trained needs them. */
export const LEAST_DELTA = 1e-100;

/** Most runs that differ: each has its own transform. */
const MOST_RUNS = 256;

/** Delta's own rounding error may be this share of it. */
const MOST_ERROR = 0.01;

/**
 * The epsilon of all `runs` together at `delta`, by their privacy loss distribution: what is lost by every bound in between
 * (as in RDP) is not lost here. Upper and lower bound hold whatever the grid, rounding included.
 *
 * Sources: Koskela et al. 2020 and Gopi et al. 2021 (composition by Fourier transform), Doroshenko et al. 2022 (upper
 * bound). The lower bound is Hoeffding's: connecting the dots moves each loss by less than the grid's spacing, and by no more
 * than h²/8 in the mean, so all of them together move by more than `s = T h²/8 + h √(T log(1/η)/2)` with probability η only.
 *
 * @param runs without equal ones
 * Errors: `privacy/precision`, `run/cancelled`; `option/invalid` for more than 256 runs. Cost: for each direction as many transforms as runs, and one more.
 */
export function pldEpsilon(runs: readonly PrivateRun[], delta: number, options: PldOptions = {}): PldBound {
  checkNumber(runs);
  refuseTiny(delta);
  if (deltaAtZero(runs) <= delta) return { upper: 0, lower: 0, direction: 'remove' };
  return worst((direction) => {
    const loss = composed(runs, direction, { delta }, options);
    const curve = deltaCurve(loss);
    checkError(curve, delta);
    return { upper: upperEpsilon(curve, loss, delta), lower: lowerEpsilon(curve, loss, delta) };
  }, mostByAdding(runs));
}

/** The delta of all `runs` together at `epsilon`; otherwise as {@link pldEpsilon}. */
export function pldDelta(runs: readonly PrivateRun[], epsilon: number, options: PldOptions = {}): PldBound {
  checkNumber(runs);
  const byRdp = deltaFromRdp(rdpCurve(runs, RDP_ORDERS), RDP_ORDERS, epsilon).value;
  refuseTiny(byRdp);
  return worst(
    (direction) => {
      const loss = composed(runs, direction, { epsilon, deltaGuess: byRdp }, options);
      return deltaAt(deltaCurve(loss), loss, epsilon, byRdp);
    },
    mostByAdding(runs) <= epsilon ? 0 : 1,
  );
}

/** Both bounds on delta at each place of the grid, as far as they do not depend on how often rounding goes one way. */
interface DeltaCurve {
  readonly upper: Float64Array;
  readonly lower: Float64Array;
  /** Rounding's part of both. */
  readonly error: Float64Array;
}

function composed(
  runs: readonly PrivateRun[],
  direction: Direction,
  target: Target,
  { accuracy = 0.005, mostPlaces = 2 ** 20, signal }: PldOptions,
): ComposedLoss {
  const options: GridOptions = { accuracy, mostPlaces: 2 ** Math.floor(Math.log2(mostPlaces)) };
  return composedLoss(runs, direction, gridFor(runs, direction, target, options), signal);
}

/** `δ(ε) = Σ_{s>ε} p(s)(1 − e^(ε−s))` at all places, from right to left, with sums of positive terms only. */
function deltaCurve(loss: ComposedLoss): DeltaCurve {
  const { n, h, first, theta, toWrapped } = loss.grid;
  const [shrink, shrinkMore, rest] = [Math.exp(-theta * h), Math.exp(-(theta + 1) * h), -Math.expm1(-h)];
  const upper = new Float64Array(n);
  const lower = new Float64Array(n);
  const error = new Float64Array(n);
  let [mass, gap, errorMass, errorGap] = [0, 0, 0, 0];
  for (let i = n - 1; i >= 0; i--) {
    const epsilon = (first + i) * h;
    const scale = Math.exp(loss.log - theta * epsilon);
    // Losses more than a window beyond epsilon come back above it, with the tilt of where they come from.
    const comeBack = Math.exp(loss.logWrapped - theta * epsilon - toWrapped * (epsilon + n * h));
    const rounding =
      4 * Number.EPSILON * (Math.abs(loss.log) + Math.abs(theta * epsilon) + 8) + 2 * loss.relative;
    error[i] = scale * (errorGap * (1 + 1e-9) + gap * rounding);
    upper[i] = scale * gap + error[i]! + loss.infinite + loss.beyond;
    lower[i] = scale * gap - loss.before - comeBack - error[i]!;
    // With y the distance to a place further right: 1 − e^(−y−h) = (1 − e^(−h)) + e^(−h)(1 − e^(−y)).
    mass += loss.tilted[i]!;
    gap = shrink * rest * mass + shrinkMore * gap;
    mass *= shrink;
    errorMass += loss.error;
    errorGap = shrink * rest * errorMass + shrinkMore * errorGap;
    errorMass *= shrink;
  }
  return { upper, lower, error };
}

/** The first epsilon at which the upper curve is at most `delta`, on the chord between two places. */
function upperEpsilon({ upper }: DeltaCurve, { grid, shift }: ComposedLoss, delta: number): number {
  const i = upper.findIndex((value) => value <= delta);
  if (i < 0) throw tooFine(delta);
  const at = (grid.first + i) * grid.h;
  if (i === 0 || at <= 0) return Math.max(0, at) + shift;
  // Sound because the curve is convex in e^epsilon: the chord lies above it.
  const share = (upper[i - 1]! - delta) / (upper[i - 1]! - upper[i]!);
  return Math.max(0, at - grid.h + Math.log1p(Math.expm1(grid.h) * share)) + shift;
}

/** The last place at which the lower curve is above `delta`, less what rounding to the grid may have added. */
function lowerEpsilon({ lower }: DeltaCurve, loss: ComposedLoss, delta: number): number {
  const least = delta * (1 + GIVEN_UP) + loss.cutOff;
  const i = lower.findLastIndex((value) => value >= least);
  return i < 0 ? 0 : Math.max(0, (loss.grid.first + i) * loss.grid.h - moved(loss, delta));
}

/** Both bounds on delta at `epsilon`; `guess` is another upper bound. */
function deltaAt(
  { upper, lower }: DeltaCurve,
  loss: ComposedLoss,
  epsilon: number,
  guess: number,
): { readonly upper: number; readonly lower: number } {
  const { grid, shift } = loss;
  const place = (value: number) => value / grid.h - grid.first;
  const above = Math.ceil(place(epsilon + moved(loss, guess)));
  return {
    upper: Math.min(guess, chordAt(upper, place(epsilon - shift), grid.h)),
    lower: Math.max(0, (lower[Math.max(0, above)] ?? 0) - GIVEN_UP * guess - loss.cutOff),
  };
}

/** The value at `place` of a curve that is a chord in e^epsilon between two places; 1 before the first. */
function chordAt(curve: Float64Array, place: number, h: number): number {
  const i = Math.min(Math.floor(place), curve.length - 1);
  if (i < 0) return 1;
  const share = Math.expm1(h * Math.min(1, place - i)) / Math.expm1(h);
  return curve[i]! + ((curve[i + 1] ?? curve[i]!) - curve[i]!) * share;
}

/** `s` of {@link pldEpsilon}, with η = 1 % of delta, and the losses' own rounding. */
function moved({ grid: { h }, steps, shift }: ComposedLoss, delta: number): number {
  const eta = GIVEN_UP * delta;
  return (steps * h * h) / 8 + h * Math.sqrt((steps * Math.log(1 / eta)) / 2) + shift;
}

function checkError({ upper, error }: DeltaCurve, delta: number): void {
  const i = upper.findIndex((value) => value <= delta);
  // Sound because what is not a number is not small enough.
  if (i < 0 || !(error[i]! <= MOST_ERROR * delta)) throw tooFine(delta);
}

/** A bound on delta at epsilon 0: the steps' own ones `q(Φ(1/2σ) − Φ(−1/2σ))` (total variation) add up at most. */
function deltaAtZero(runs: readonly PrivateRun[]): number {
  return runs.reduce(
    (sum, { rate, noise, steps }) => sum + steps * rate * (1 - 2 * normalTail(1 / (2 * noise))),
    0,
  );
}

function checkNumber({ length }: readonly PrivateRun[]): void {
  if (length > MOST_RUNS)
    throw new GlacisError(
      'option/invalid',
      `runs: expected at most ${MOST_RUNS} that differ in rate or noise for the PLD accountant, got ${length}; take the RDP accountant`,
    );
}

function refuseTiny(delta: number): void {
  if (!(delta >= LEAST_DELTA))
    throw new GlacisError(
      'privacy/precision',
      `delta: expected at least ${LEAST_DELTA} for the PLD accountant, got ${delta}; take a larger delta, or the RDP accountant`,
    );
}

function tooFine(delta: number): GlacisError {
  return new GlacisError(
    'privacy/precision',
    `delta: expected one that rounding leaves visible for these runs, got ${delta}; take a larger delta, fewer steps, or the RDP accountant`,
  );
}

/**
 * The larger of both directions: an attacker may try either. What adding a sample shows is bounded by `most`, so that often
 * one direction is enough.
 */
function worst(
  of: (direction: Direction) => { readonly upper: number; readonly lower: number },
  most: number,
): PldBound {
  const remove = of('remove');
  if (most <= remove.upper) return { ...remove, direction: 'remove' };
  const add = of('add');
  const direction = remove.upper >= add.upper ? 'remove' : 'add';
  return {
    upper: Math.max(remove.upper, add.upper),
    lower: Math.max(remove.lower, add.lower),
    direction,
  };
}

/** No loss of the direction `add` is larger than this: each step's density falls by a factor of `1 − q` at most. */
function mostByAdding(runs: readonly PrivateRun[]): number {
  return runs.reduce((sum, { rate, steps }) => sum - steps * Math.log1p(-rate), 0);
}
