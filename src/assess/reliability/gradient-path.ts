import { projectOnto, steepest } from '../../attack/ball-geometry.ts';
import { type Interviewed, interview } from '../../attack/interview.ts';
import type { Talk } from '../../attack/question.ts';
import type { Rng } from '../../core/random.ts';
import { type Ball, randomStart } from '../../threat/norm.ts';
import { stillRising } from './trace.ts';

/** Steps inside the ball, and further ones where the loss is still rising then. */
const STEPS = 40;
const FURTHER = 160;
/** Steps inside each larger ball. */
const STEPS_BEYOND = 20;
/** Length of a step as a share of the radius. */
const RELATIVE_STEP = 0.1;
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
 * where every input is allowed has failed as an attack. In L1 it steps as in L2. Cost per sample: at most 40 + 160 + 3 × 20
 * gradients and 5 answers, the gradients `average` times (and no 160 then).
 */
export function gradientPaths(
  model: Interviewed,
  samples: readonly number[],
  x: Float32Array,
  ball: Ball,
  average: number,
): Promise<readonly GradientPath[]> {
  const size = model.oracle.sampleDims.reduce((n, d) => n * d, 1);
  const larger = largerRadii(ball, size);
  return interview(model, samples, (sample, rng) =>
    path(x.subarray(sample * size, (sample + 1) * size), ball, larger, average, rng),
  );
}

function* path(
  x0: Float32Array,
  ball: Ball,
  larger: readonly number[],
  average: number,
  rng: Rng,
): Talk<GradientPath> {
  const from = (eps: number): Climber => {
    const around: Ball = { ...ball, norm: ball.norm === 'l0' ? 'linf' : ball.norm, eps };
    const at = x0.slice();
    randomStart(around, x0, at, 0, x0.length, rng);
    return { x0, at, ball: around, average };
  };
  let seen: Pick<GradientPath, 'losses' | 'blind'> | undefined;
  if (ball.norm !== 'l0' && ball.eps > 0) {
    const climber = from(ball.eps);
    const first = yield* climb(climber, STEPS);
    seen = { losses: first.losses, blind: first.blind };
    if (first.steps !== undefined) return { ...seen, steps: first.steps, fellAt: ball.eps };
    // Averages of random answers rise and fall by chance.
    if (average === 1 && stillRising(first.losses)) {
      const { steps } = yield* climb(climber, FURTHER);
      if (steps !== undefined) return { ...seen, steps: STEPS + steps, fellAt: ball.eps };
    }
  }
  for (const eps of larger) {
    const { blind, steps } = yield* climb(from(eps), STEPS_BEYOND);
    seen ??= { losses: [], blind };
    if (steps !== undefined) return { ...seen, steps: undefined, fellAt: eps };
  }
  return { losses: [], blind: 0, ...seen, steps: undefined, fellAt: undefined };
}

/** Where an ascent has come to. */
interface Climber {
  readonly x0: Float32Array;
  /** Moved on. */
  readonly at: Float32Array;
  readonly ball: Ball;
  readonly average: number;
}

/** `most` steps, or fewer until the goal is reached; `blind` is the share of gradients that are zero or not finite. */
function* climb(
  { x0, at, ball, average }: Climber,
  most: number,
): Talk<{ readonly losses: readonly number[]; readonly blind: number; readonly steps: number | undefined }> {
  const size = x0.length;
  const direction = new Float32Array(size);
  const losses: number[] = [];
  let blind = 0;
  for (let step = 0; step < most; step++) {
    ball.constraint?.project(at, 0, x0, 0, size, ball);
    const { gradient, loss, reached } = yield {
      kind: 'gradient',
      point: at,
      loss: 'goal',
      average,
      probe: true,
    };
    losses.push(loss);
    if (gradient.every((g) => g === 0) || gradient.some((g) => !Number.isFinite(g))) blind++;
    if (reached[0]) return { losses, blind: blind / losses.length, steps: step };
    steepest(ball.norm === 'linf' ? 'linf' : 'l2', gradient, direction);
    for (let i = 0; i < size; i++) at[i]! += RELATIVE_STEP * ball.eps * direction[i]!;
    projectOnto(ball, at, x0);
  }
  ball.constraint?.project(at, 0, x0, 0, size, ball);
  const { reached } = yield { kind: 'answers', points: at, count: 1, probe: true };
  return { losses, blind: blind / most, steps: reached[0] ? most : undefined };
}
