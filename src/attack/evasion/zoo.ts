import type { Rng } from '../../core/random.ts';
import type { Attack } from '../attack.ts';
import { widthOf } from '../ball-geometry.ts';
import { freeElements } from '../free-elements.ts';
import { numberIn, wholeFrom } from '../option-checks.ts';
import { pointsAtOnce } from '../points-at-once.ts';
import type { Talk } from '../question.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';

/** Options of ZOO. */
export interface ZooOptions {
  /** Steps for each constant. */
  readonly steps: number;
  /** Coordinates of one step. */
  readonly parallel: number;
  /** How far a coordinate is moved for its derivative, as a share of the bounds' width. */
  readonly h: number;
  /** Adam's, as a share of the bounds' width. */
  readonly learningRate: number;
  /** Constants that are tried. */
  readonly binarySearchSteps: number;
  readonly initialConst: number;
  /** By how much the margin is to be crossed, in the outputs' units. */
  readonly confidence: number;
  /** Whether a constant is given up where a tenth of the steps gained nothing. */
  readonly abortEarly: boolean;
  /** Most queries for one sample. */
  readonly queries: number;
}

/** Adam's constants. */
const [BETA1, BETA2, TINY] = [0.9, 0.999, 1e-8];

/** A change of the sample in units of the bounds' width, and Adam's state of each coordinate. */
interface State {
  readonly delta: Float32Array;
  readonly mean: Float32Array;
  readonly square: Float32Array;
  readonly epochs: Int32Array;
}

/**
 * ZOO (Chen et al. 2017): the objective of Carlini & Wagner, `‖δ‖² + c · max(margin + confidence, 0)`, lowered by Adam on a few random coordinates
 * at a time, whose derivatives are differences; `c` is searched by halves. The derivative of `‖δ‖²` is exact. The
 * paper's smaller grids and importance sampling, which are for large pictures, are left out.
 * Cost: `2 · parallel + 1` answers a step, up to `queries`.
 */
export const zoo: Attack<ZooOptions> = defineSampleAttack({
  id: 'zoo',
  title: 'Zeroth order optimisation (ZOO)',
  needs: 'scores',
  seeks: 'minimum',
  norms: ['l2'],
  source: 'https://arxiv.org/abs/1708.03999',
  use: 'The nearest example in l2 with scores alone; takes very many queries.',
  defaults: {
    steps: 200,
    parallel: 128,
    h: 1e-4,
    learningRate: 0.03,
    binarySearchSteps: 3,
    initialConst: 1,
    confidence: 0,
    abortEarly: true,
    queries: 155000,
  },
  check(options) {
    wholeFrom(options, 'steps', 1);
    wholeFrom(options, 'parallel', 1);
    numberIn(options, 'h', 0);
    numberIn(options, 'learningRate', 0);
    wholeFrom(options, 'binarySearchSteps', 1);
    numberIn(options, 'initialConst', 0);
    numberIn(options, 'confidence', 0, Number.MAX_VALUE, 'or equal');
    wholeFrom(options, 'queries', 1);
  },
  cost: ({ steps, parallel, binarySearchSteps, queries }) => ({
    gradients: 0,
    evaluations: Math.min(queries, binarySearchSteps * steps * (2 * parallel + 1)),
  }),
  *talk(victim, options) {
    const rng = victim.rng('coordinates');
    let [low, c, high] = [0, options.initialConst, Number.POSITIVE_INFINITY];
    for (let search = 0; search < options.binarySearchSteps; search++) {
      if (yield* minimise(victim, options, c, rng)) high = c;
      else low = c;
      c = high < Number.POSITIVE_INFINITY ? (low + high) / 2 : 10 * c;
    }
  },
});

/** Minimises the objective for one constant; whether the goal was reached. */
function* minimise(victim: Victim, options: ZooOptions, c: number, rng: Rng): Talk<boolean> {
  const { x0, size, ball, answers } = victim;
  const width = widthOf(ball.bounds);
  const state: State = {
    delta: new Float32Array(size),
    mean: new Float32Array(size),
    square: new Float32Array(size),
    epochs: new Int32Array(size),
  };
  const { delta } = state;
  const points = new Float32Array(2 * Math.min(options.parallel, Math.ceil(pointsAtOnce(size) / 2)) * size);
  const order = freeElements(ball, size);
  const parallel = Math.min(options.parallel, order.length);
  const patience = Math.max(1, Math.floor(options.steps / 10));
  const x = new Float32Array(size);
  let found = false;
  let best = Number.POSITIVE_INFINITY;
  for (let step = 1; step <= options.steps; step++) {
    // The first `parallel` of a shuffled order.
    for (let i = 0; i < parallel; i++) {
      const j = i + rng.integer(order.length - i);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    const coordinates = order.subarray(0, parallel);
    yield* moveCoordinates(victim, options, c, state, coordinates, points);
    let length = 0;
    for (let i = 0; i < size; i++) {
      x[i] = x0[i]! + width * delta[i]!;
      length += delta[i]! ** 2;
    }
    const { margins, reached } = yield* answers(x);
    if (reached[0] && !found) {
      found = true;
      // Against overshooting: Adam begins anew, as in the authors' program.
      for (const part of [state.mean, state.square, state.epochs]) part.fill(0);
    }
    if (!options.abortEarly || step % patience > 0) continue;
    const loss = length + c * Math.max(margins[0]! + options.confidence, 0);
    if (!(loss <= 0.9999 * best)) break;
    best = loss;
  }
  return found;
}

/** One step of Adam on `coordinates`. */
function* moveCoordinates(
  { x0, size, ball, answers }: Victim,
  { h, learningRate, confidence }: ZooOptions,
  c: number,
  { delta, mean, square, epochs }: State,
  coordinates: Int32Array,
  points: Float32Array,
): Talk {
  const [low, high] = ball.bounds;
  const width = widthOf(ball.bounds);
  const most = points.length / (2 * size);
  const slopes = new Float64Array(coordinates.length);
  for (let done = 0; done < coordinates.length; done += most) {
    const here = Math.min(most, coordinates.length - done);
    for (let p = 0; p < 2 * here; p++) {
      const point = points.subarray(p * size, (p + 1) * size);
      for (let i = 0; i < size; i++) point[i] = x0[i]! + width * delta[i]!;
      point[coordinates[done + (p >> 1)]!]! += p % 2 === 0 ? h * width : -h * width;
    }
    const { margins } = yield* answers(points, 2 * here, 'probe');
    const hinge = (i: number) => Math.max(margins[i]! + confidence, 0);
    for (let p = 0; p < here; p++) {
      const slope = (hinge(2 * p) - hinge(2 * p + 1)) / (2 * h);
      slopes[done + p] = Number.isFinite(slope) ? slope : 0;
    }
  }
  for (const [k, i] of coordinates.entries()) {
    const g = c * slopes[k]! + 2 * delta[i]!;
    const epoch = ++epochs[i]!;
    mean[i] = BETA1 * mean[i]! + (1 - BETA1) * g;
    square[i] = BETA2 * square[i]! + (1 - BETA2) * g * g;
    const step = mean[i]! / (1 - BETA1 ** epoch) / (Math.sqrt(square[i]! / (1 - BETA2 ** epoch)) + TINY);
    const moved = x0[i]! + width * (delta[i]! - learningRate * step);
    delta[i] = (Math.min(high, Math.max(low, moved)) - x0[i]!) / width;
  }
}
