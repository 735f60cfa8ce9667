import { type Interviewed, interview } from '../../attack/interview.ts';
import type { Talk } from '../../attack/question.ts';
import type { Rng } from '../../core/random.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { type Ball, randomStart } from '../../threat/norm.ts';
import { type Climber, climb } from './climb.ts';
import { stillRising } from './trace.ts';

/** Steps inside the ball, and further ones where the loss is still rising then. */
const STEPS = 40;
const FURTHER = 160;
/** Steps inside each larger ball. */
const STEPS_BEYOND = 20;
/** Steps with and without blur on samples that stood. */
const STEPS_AGAIN = 20;
/** Larger balls; the last holds every input there is. */
const LARGER = 3;

/** How gradient ascent went on one sample. */
export interface GradientPath {
  /** The loss at each of the first 40 iterates inside the ball, until the goal was reached. */
  readonly losses: readonly number[];
  /** Share of the iterates of the first ascent whose gradient was zero or not finite. */
  readonly blind: number;
  /** Steps after which the goal was reached inside the ball. */
  readonly steps: number | undefined;
  /** The ball's radius or the first of {@link largerRadii} within which the goal was reached; `undefined` where it was in none. */
  readonly fellAt: number | undefined;
  /**
   * Of a sample that stood inside the ball, whose gradient was seldom zero: 1 if an ascent along the blurred gradient reached the goal
   * there, less 1 if one along the plain gradient did with as many steps from the same start.
   */
  readonly gain: number | undefined;
}

/**
 * The radii that {@link gradientPaths} tries beyond the ball: growing by equal factors up to the whole range of inputs, or eightfold where that
 * has no bounds. Of L0, where an element may go anywhere, only the whole range is left, in Linf.
 */
export function largerRadii({ norm, eps, bounds: [low, high] }: Ball, size: number): readonly number[] {
  const width = high - low;
  if (norm === 'l0') return [Number.isFinite(width) ? width : 1];
  const whole = norm === 'linf' ? width : norm === 'l2' ? width * Math.sqrt(size) : width * size;
  const growing = Array.from({ length: LARGER }, (_, i) => i + 1);
  if (!Number.isFinite(whole)) return growing.map((i) => eps * 8 ** i);
  if (!(eps > 0)) return [whole];
  if (eps >= whole) return [];
  return growing.map((i) => (i === LARGER ? whole : eps * (whole / eps) ** (i / LARGER)));
}

/**
 * Projected gradient descent from a random start in the ball and, as long as a sample stands, in larger ones: an attack that fails even
 * where every input is allowed has failed as an attack. In L1 it steps as in L2. The blurred gradient is the mean of eight, one at the
 * iterate and seven at random points up to eps away: it sees past what is steep or flat on the small scale alone (Athalye et
 * al. 2018 on shattered gradients; Smilkov et al. 2017 on the mean). It is not tried with `average`, nor with rounding passed straight
 * through. Cost per sample: at most 40 + 160 + 20 × (1 + 8) + 3 × 20 gradients and 7 answers, or `average` × (40 + 3 × 20).
 */
export function gradientPaths(
  model: Interviewed,
  samples: readonly number[],
  x: Float32Array,
  ball: Ball,
  average: number,
): Promise<readonly GradientPath[]> {
  const size = elementCount(model.oracle.sampleDims);
  const larger = largerRadii(ball, size);
  const blurs = average === 1 && model.rounding !== 'straight-through';
  return interview(model, samples, (sample, rng) =>
    path(x.subarray(sample * size, (sample + 1) * size), { ball, larger, average, blurs, rng }),
  );
}

function* path(
  x0: Float32Array,
  {
    ball,
    larger,
    average,
    blurs,
    rng,
  }: {
    readonly ball: Ball;
    readonly larger: readonly number[];
    readonly average: number;
    readonly blurs: boolean;
    readonly rng: Rng;
  },
): Talk<GradientPath> {
  const from = (eps: number): Climber => {
    const around: Ball = { ...ball, norm: ball.norm === 'l0' ? 'linf' : ball.norm, eps };
    const at = x0.slice();
    randomStart(around, x0, at, 0, x0.length, rng);
    return { x0, at, ball: around, average, blur: undefined };
  };
  let seen: Pick<GradientPath, 'losses' | 'blind' | 'gain'> | undefined;
  if (ball.norm !== 'l0' && ball.eps > 0) {
    const climber = from(ball.eps);
    const { losses, blind, steps } = yield* climb(climber, STEPS);
    seen = { losses, blind, gain: undefined };
    if (steps !== undefined) return { ...seen, steps, fellAt: ball.eps };
    // Averages of random answers rise and fall by chance.
    if (average === 1 && stillRising(losses)) {
      const further = yield* climb(climber, FURTHER);
      if (further.steps !== undefined) return { ...seen, steps: STEPS + further.steps, fellAt: ball.eps };
    }
    if (blurs && blind < 0.5) {
      const start = from(ball.eps);
      const plain = yield* climb({ ...start, at: start.at.slice() }, STEPS_AGAIN);
      const blurred = yield* climb({ ...start, blur: rng }, STEPS_AGAIN);
      seen = { ...seen, gain: Number(blurred.steps !== undefined) - Number(plain.steps !== undefined) };
    }
  }
  for (const eps of larger) {
    const { blind, steps } = yield* climb(from(eps), STEPS_BEYOND);
    seen ??= { losses: [], blind, gain: undefined };
    if (steps !== undefined) return { ...seen, steps: undefined, fellAt: eps };
  }
  return { losses: [], blind: 0, gain: undefined, ...seen, steps: undefined, fellAt: undefined };
}
