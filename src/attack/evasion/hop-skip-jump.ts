import { distance } from '../../threat/norm.ts';
import type { Attack } from '../attack.ts';
import { steepest } from '../ball-geometry.ts';
import { clearFixed } from '../free-elements.ts';
import { type Noise, noiseFrom } from '../noise.ts';
import { numberIn, wholeFrom } from '../option-checks.ts';
import { pointsAtOnce } from '../points-at-once.ts';
import type { Talk } from '../question.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';
import { bisectToClean } from './boundary-search.ts';
import { adversarialStart } from './starting-point.ts';

/** Options of HopSkipJump. */
export interface HopSkipJumpOptions {
  readonly steps: number;
  /** Questions of the first estimate of a gradient; step t takes √t times as many. */
  readonly initEval: number;
  readonly maxEval: number;
  /** Draws of noise for the starting point. */
  readonly initSize: number;
  /** The search for the boundary ends at `gamma / d^1.5` of the distance in l2 and `gamma / d²` in linf, d being the number of elements. */
  readonly gamma: number;
  /** Most queries for one sample. */
  readonly queries: number;
}

/** A step that had to be halved this often leads nowhere. */
const HALVINGS = 30;

/**
 * HopSkipJump (Chen, Jordan & Wainwright 2020), with geometric step search: estimates the gradient at the boundary from decisions alone, steps along it, and
 * searches the boundary again towards the clean sample. Constants as in the authors' program and foolbox. Starting points: see
 * {@link adversarialStart}. Cost: up to `queries` answers.
 */
export const hopSkipJump: Attack<HopSkipJumpOptions> = defineSampleAttack({
  id: 'hop-skip-jump',
  title: 'HopSkipJump',
  needs: 'labels',
  seeks: 'minimum',
  norms: ['linf', 'l2'],
  source: 'https://arxiv.org/abs/1904.02144',
  use: 'The usual strong attack on a model that shows nothing but its decisions.',
  defaults: { steps: 64, initEval: 100, maxEval: 10000, initSize: 100, gamma: 1, queries: 25000 },
  check(options) {
    wholeFrom(options, 'steps', 1);
    wholeFrom(options, 'initEval', 1);
    wholeFrom(options, 'maxEval', 1);
    wholeFrom(options, 'initSize', 1);
    numberIn(options, 'gamma', 0);
    wholeFrom(options, 'queries', 1);
  },
  cost: ({ queries }) => ({ gradients: 0, evaluations: queries }),
  *talk(victim, { steps, initEval, maxEval, initSize, gamma }) {
    const { x0, size, ball, answers } = victim;
    const [low, high] = ball.bounds;
    const norm = ball.norm === 'linf' ? 'linf' : 'l2';
    const tolerance = gamma / (norm === 'l2' ? size ** 1.5 : size ** 2);
    const x = yield* adversarialStart(victim, initSize);
    if (!x) return;
    yield* bisectToClean(victim, norm, x, tolerance);
    const noise = noiseFrom(victim.rng('directions'));
    const direction = new Float32Array(size);
    const moved = new Float32Array(size);
    for (let step = 0; step < steps; step++) {
      const far = distance(norm, x, x0, 0, size);
      if (!(far > 0)) return;
      const radius = step === 0 ? 0.1 * (high - low) : (gamma * far) / size;
      const count = Math.min(Math.floor(initEval * Math.sqrt(step + 1)), maxEval);
      yield* estimate(victim, norm, noise, x, radius, count, direction);
      steepest(norm, direction, direction);
      let length = far / Math.sqrt(step + 1);
      let found = false;
      for (let halving = 0; halving < HALVINGS && !found; halving++) {
        for (let i = 0; i < size; i++)
          moved[i] = Math.min(high, Math.max(low, x[i]! + length * direction[i]!));
        const { reached } = yield* answers(moved);
        found = reached[0]!;
        length /= 2;
      }
      if (!found) continue;
      x.set(moved);
      yield* bisectToClean(victim, norm, x, tolerance);
    }
  },
});

/**
 * The gradient at `x`, up to length: the mean of `count` random directions, each weighed by its decision (±1) less the mean of all
 * decisions, which lowers the variance (equation 16 of the paper).
 */
function* estimate(
  { size, ball, answers }: Victim,
  norm: 'linf' | 'l2',
  noise: Noise,
  x: Float32Array,
  radius: number,
  count: number,
  gradient: Float32Array,
): Talk {
  const [low, high] = ball.bounds;
  const weighed = new Float64Array(size);
  const plain = new Float64Array(size);
  let decisions = 0;
  const most = Math.min(count, pointsAtOnce(size));
  const points = new Float32Array(most * size);
  for (let done = 0; done < count; done += most) {
    const here = Math.min(most, count - done);
    const drawn = points.subarray(0, here * size);
    if (norm === 'l2') noise.normals(drawn);
    else noise.uniforms(drawn, -1, 1);
    clearFixed(ball, drawn);
    for (let p = 0; p < here; p++) {
      const point = points.subarray(p * size, (p + 1) * size);
      let total = 0;
      for (let i = 0; i < size; i++) total += point[i]! ** 2;
      const scale = radius / (Math.sqrt(total) + 1e-12);
      for (let i = 0; i < size; i++) point[i] = Math.min(high, Math.max(low, x[i]! + scale * point[i]!));
    }
    const { reached } = yield* answers(points, here, 'probe');
    for (let p = 0; p < here; p++) {
      const side = reached[p] ? 1 : -1;
      decisions += side;
      for (let i = 0; i < size; i++) {
        const moved = points[p * size + i]! - x[i]!;
        weighed[i]! += side * moved;
        plain[i]! += moved;
      }
    }
  }
  const mean = decisions / count;
  const baseline = Math.abs(mean) === 1 ? 0 : mean;
  for (let i = 0; i < size; i++) gradient[i] = weighed[i]! - baseline * plain[i]!;
}
