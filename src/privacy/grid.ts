import type { PrivateRun } from './private-run.ts';
import type { Direction } from './subsampled-gaussian.ts';
import { type TiltedSum, tiltedSum } from './tilted-sum.ts';

/** What is asked of the accountant: the epsilon at a delta, or the delta at an epsilon. */
export type Target = { readonly delta: number } | { readonly epsilon: number; readonly deltaGuess: number };

/** How losses are put on a grid and composed. Bounds hold whatever it is; how close they lie depends on it. */
export interface Grid {
  /** Distance of two losses on the grid. */
  readonly h: number;
  /** Number of places of the composed distribution, a power of two. */
  readonly n: number;
  /** The first place of the composed distribution, in steps of `h`. */
  readonly first: number;
  /** Tilt: probabilities are weighed with `e^(θ·loss)`, which brings the losses around epsilon into the middle. */
  readonly theta: number;
  /** The tilt at which Chernoff's bound of the losses beyond the window's right end is best, less `theta`. */
  readonly toRight: number;
  /** The same for losses a whole window beyond epsilon, which the transform wraps around. */
  readonly toWrapped: number;
  /** Cut-off of a single step, in standard deviations of its noise. */
  readonly reach: number;
}

/** Accuracy against time. */
export interface GridOptions {
  /** Wanted distance of lower and upper bound, relative to epsilon. */
  readonly accuracy: number;
  /** Most places of the composed distribution, a power of two. */
  readonly mostPlaces: number;
}

/** Share of delta at which the lower bound gives up on steps whose rounding errors all point one way. */
export const GIVEN_UP = 0.01;

/** Most places of one step's distribution. */
const MOST_PLACES_OF_STEP = 2 ** 21;

/** What lies outside the window is e^−14 of delta. */
const OUTSIDE = 14;

/**
 * Chooses tilt, window and spacing. The tilt is where the saddle-point approximation of delta meets the target (Alghamdi et
 * al. 2023). The window ends on the right where Chernoff's bound of the loss beyond is e^−14 of delta, and is so wide that
 * `e^(−θ·width)`, the most that the losses before it can add to delta, is that, too. The spacing makes the two bounds lie
 * `accuracy` apart as far as `mostPlaces` allow.
 */
export function gridFor(
  runs: readonly PrivateRun[],
  direction: Direction,
  target: Target,
  { accuracy, mostPlaces }: GridOptions,
): Grid {
  const steps = runs.reduce((sum, run) => sum + run.steps, 0);
  const delta = 'delta' in target ? target.delta : target.deltaGuess;
  // P(|X| > z) < e^(−z²/2): all that is cut off together is 1e-8 of delta.
  const reach = Math.sqrt(2 * Math.log((1e8 * steps) / delta));
  const sum = tiltedSum(runs, direction, reach);
  const theta =
    'delta' in target || target.epsilon <= sum.at(0).mean
      ? tiltForDelta(sum, delta)
      : tiltForMean(sum, target.epsilon);
  const wanted = -Math.log(delta) + OUTSIDE;
  const furthest = Math.max(theta * 1.01, tiltForTail(sum, wanted, theta));
  const right = (sum.at(furthest).log + wanted) / furthest;
  const { mean, variance } = sum.at(theta);
  const narrow = Math.max(wanted / theta, right - mean + 3 * Math.sqrt(variance));
  const width = widened(sum, theta, mean, narrow, 0.5 * OUTSIDE - Math.log(delta));

  const epsilon = 'delta' in target ? mean : Math.max(target.epsilon, Math.sqrt(variance));
  const byLowerBound = (accuracy * epsilon) / Math.sqrt((steps * Math.log(1 / (GIVEN_UP * delta))) / 2);
  const byUpperBound = Math.sqrt((1.2 * accuracy * epsilon) / (steps * (1 + 2 * theta)));
  const h = Math.max(
    Math.min(byLowerBound, byUpperBound),
    width / mostPlaces,
    (2 * sum.largest) / MOST_PLACES_OF_STEP,
  );
  const n = Math.min(mostPlaces, 2 ** Math.max(6, Math.ceil(Math.log2(width / h))));
  const finest = Math.max(width / n, (2 * sum.largest) / MOST_PLACES_OF_STEP);
  // All places are used, unless the window is narrower than the loss of a step that it looks at.
  const spacing = n > 64 ? finest : h;
  // Connecting the dots moves the tilted mean by this.
  const moved = (steps * spacing * spacing * (1 + 2 * theta)) / 12;
  return {
    h: spacing,
    n,
    first: Math.ceil((right + moved) / spacing) - n,
    theta,
    toRight: furthest - theta,
    toWrapped: Math.max(0.01 * theta, tiltForMean(sum, mean + n * spacing) - theta),
    reach,
  };
}

/** A tilt below this, times the largest loss of a step, tilts nothing; above the other a single loss decides. */
const LEAST_TILT = 1e-6;
const MOST_TILT = 1e5;

/** The tilt whose mean is about the epsilon of `delta`: `θK′ − K + log(correction) = log(1/δ)`, by bisection. */
function tiltForDelta(sum: TiltedSum, delta: number): number {
  return rootOf((theta) => {
    const { log, mean, variance } = sum.at(theta);
    const correction = Math.log1p(Math.sqrt(2 * Math.PI * variance) * theta) + Math.log1p(theta);
    return theta * mean - log + correction + Math.log(delta);
  }, ends(sum));
}

/** The tilt whose mean is `epsilon`, by bisection. */
function tiltForMean(sum: TiltedSum, epsilon: number): number {
  return rootOf((theta) => sum.at(theta).mean - epsilon, ends(sum));
}

/** The tilt whose Chernoff bound `e^(K − θK′)` of the losses beyond its mean is `e^−tail`, by bisection. */
function tiltForTail(sum: TiltedSum, tail: number, least: number): number {
  return rootOf(
    (theta) => {
      const { log, mean } = sum.at(theta);
      return theta * mean - log - tail;
    },
    [least, 2 * ends(sum)[1]],
  );
}

/**
 * `narrow`, or wider until losses a whole window beyond epsilon, which the transform wraps around, add no more than `e^−tail`
 * to delta, by Chernoff's bound `e^(K(λ) − λε − (λ−θ)·width)`.
 */
function widened(sum: TiltedSum, theta: number, epsilon: number, narrow: number, tail: number): number {
  let width = narrow;
  for (let i = 0; i < 12; i++) {
    const further = tiltForMean(sum, epsilon + width);
    if (sum.at(further).log - further * epsilon - (further - theta) * width <= -tail) break;
    width *= 1.15;
  }
  return width;
}

/** The least and the most tilt that are tried. */
function ends({ largest }: TiltedSum): readonly [number, number] {
  return [LEAST_TILT / largest, MOST_TILT / largest];
}

/** The root of a rising function between two ends, to a relative 1e-3; an end when it lies beyond. */
function rootOf(f: (theta: number) => number, [least, most]: readonly [number, number]): number {
  if (f(least) >= 0) return least;
  let [low, high] = [least, Math.min(most, 8 * least)];
  while (f(high) < 0) {
    if (high >= most) return most;
    [low, high] = [high, Math.min(most, 8 * high)];
  }
  while (high > 1.001 * low) {
    const middle = Math.sqrt(low * high);
    if (f(middle) < 0) low = middle;
    else high = middle;
  }
  return high;
}
