import { type Interviewed, interview } from '../../attack/interview.ts';
import type { Talk } from '../../attack/question.ts';
import type { Rng } from '../../core/random.ts';
import type { Ball } from '../../threat/norm.ts';
import { randomStart } from '../../threat/norm.ts';

/** Pairs of points around a sample on which the gradient's word is compared with what the model does. */
const PAIRS = 16;
/** How far they lie, as a share of eps. */
const REACH = 0.5;
/** Random points of the ball at which a sample is looked at. */
const NOISE = 32;

/** What the neighbourhood of one sample looks like. */
export interface LocalView {
  /** The gradient of the loss is zero in every element. */
  readonly zero: boolean;
  /** The gradient holds NaN or infinity. */
  readonly notFinite: boolean;
  /** How the margin is read off the outputs: 1 where the model is right by this much. */
  readonly margin: number;
  /**
   * Correlation, over random directions and that of the gradient, of the change of margin that the gradient predicts with the one that
   * happens; 0 where the gradient predicts none.
   */
  readonly agreement: number;
  /** Change of margin along the gradient's direction as a share of what the gradient promises. */
  readonly kept: number;
  /** A random point of the ball fooled the model. */
  readonly fellToNoise: boolean;
}

/**
 * Looks at the neighbourhood of correctly answered samples: is there a gradient, and does the model do what it says? Cost per
 * sample: two gradients and `2 × 17 + 32` answers.
 */
export function localViews(
  model: Interviewed,
  samples: readonly number[],
  x: Float32Array,
  ball: Ball,
): Promise<readonly LocalView[]> {
  const size = model.oracle.sampleDims.reduce((n, d) => n * d, 1);
  return interview(model, samples, (sample, rng) =>
    view(x.subarray(sample * size, (sample + 1) * size), ball, rng),
  );
}

function* view(x0: Float32Array, ball: Ball, rng: Rng): Talk<LocalView> {
  const size = x0.length;
  const [low, high] = ball.bounds;
  const goal = yield { kind: 'gradient', point: x0, loss: 'goal', probe: true };
  const zero = goal.gradient.every((g) => g === 0);
  const notFinite = goal.gradient.some((g) => !Number.isFinite(g));
  const { gradient, margins } = yield { kind: 'gradient', point: x0, loss: 'margin', probe: true };
  const margin = margins[0]!;
  // The first pair lies along the gradient, the others along random corners.
  const points = new Float32Array(2 * (PAIRS + 1) * size);
  const radius = REACH * ball.eps;
  for (let k = 0; k <= PAIRS; k++) {
    for (let i = 0; i < size; i++) {
      const step = radius * (k === 0 ? Math.sign(gradient[i]!) || 0 : rng.uniform() < 0.5 ? -1 : 1);
      points[2 * k * size + i] = Math.min(high, Math.max(low, x0[i]! + step));
      points[(2 * k + 1) * size + i] = Math.min(high, Math.max(low, x0[i]! - step));
    }
  }
  const around = yield { kind: 'answers', points, count: 2 * (PAIRS + 1), probe: true };
  const predicted: number[] = [];
  const actual: number[] = [];
  for (let k = 0; k <= PAIRS; k++) {
    let promise = 0;
    for (let i = 0; i < size; i++)
      promise += gradient[i]! * (points[2 * k * size + i]! - points[(2 * k + 1) * size + i]!);
    predicted.push(promise);
    // The loss is minus the margin.
    actual.push(around.margins[2 * k + 1]! - around.margins[2 * k]!);
  }
  const noise = new Float32Array(NOISE * size);
  for (let k = 0; k < NOISE; k++) {
    const at = noise.subarray(k * size, (k + 1) * size);
    at.set(x0);
    randomStart(ball, x0, at, 0, size, rng);
  }
  const { reached } = yield { kind: 'answers', points: noise, count: NOISE, probe: true };
  return {
    zero,
    notFinite,
    margin,
    agreement: correlation(predicted, actual),
    kept: predicted[0] === 0 ? 0 : actual[0]! / predicted[0]!,
    fellToNoise: reached.some(Boolean),
  };
}

/** Pearson's correlation through the origin; 0 where either side is all zero or not finite. */
function correlation(a: readonly number[], b: readonly number[]): number {
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (const [i, v] of a.entries()) {
    ab += v * b[i]!;
    aa += v * v;
    bb += b[i]! ** 2;
  }
  const r = ab / Math.sqrt(aa * bb);
  return Number.isFinite(r) ? r : 0;
}
