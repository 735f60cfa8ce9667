import { type Interviewed, interview } from '../../attack/interview.ts';
import type { Talk } from '../../attack/question.ts';
import type { Rng } from '../../core/random.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { Ball, Norm } from '../../threat/norm.ts';

/** Pairs of points around a sample, beside the one along the gradient, on which its word is compared with what happens. */
const PAIRS = 16;
/** How far each element moves at most: this share of eps (spread over the elements in L2 and L1) … */
const SHARE_OF_EPS = 0.5;
/** … and at most this share of the input's range: further off, no gradient describes a network. */
const SHARE_OF_RANGE = 0.015;

/** What the neighbourhood of one sample looks like. */
export interface LocalView {
  /** The gradient of the goal's loss (cross-entropy for classes) is zero in every element. */
  readonly zeroLoss: boolean;
  /** The gradient of the margin is zero in every element. */
  readonly zeroMargin: boolean;
  /** One of both holds NaN or infinity. */
  readonly notFinite: boolean;
  /** How far the model is right: the goal's margin, in the outputs' units. */
  readonly margin: number;
  /** The largest output, in size; of log-probabilities, which no network reaches by itself, how far it is above their mean. */
  readonly top: number;
  /** How fast the gradient says that the margin can fall, a unit of the ball's norm. */
  readonly slope: number;
  /**
   * Correlation, over random directions and that of the gradient, of the change of margin that the gradient predicts with the one that
   * happens; 0 where the gradient predicts none.
   */
  readonly agreement: number;
  /** Difference of the margins of two runs on the sample itself, as a share of them (of a thousandth at least). */
  readonly gap: number;
}

/** How far {@link localViews} moves each element: between half of this and all of it. */
export function reachOf({ norm, eps, bounds: [low, high] }: Ball, size: number): number {
  const each = norm === 'linf' ? eps : norm === 'l2' ? eps / Math.sqrt(size) : eps / size;
  const most = SHARE_OF_RANGE * (high - low);
  // An L0 ball says nothing of how far.
  const share = norm === 'l0' ? Number.POSITIVE_INFINITY : SHARE_OF_EPS * each;
  const reach = Math.min(share, most);
  return Number.isFinite(reach) ? reach : SHARE_OF_RANGE;
}

/**
 * Looks at the neighbourhood of correctly answered samples: is there a gradient, and does the model do what it says? Cost per
 * sample: two gradients and 36 answers.
 */
export function localViews(
  model: Interviewed,
  samples: readonly number[],
  x: Float32Array,
  ball: Ball,
): Promise<readonly LocalView[]> {
  const size = elementCount(model.oracle.sampleDims);
  const reach = reachOf(ball, size);
  return interview(model, samples, (sample, rng) =>
    view(x.subarray(sample * size, (sample + 1) * size), reach, ball, rng),
  );
}

function* view(
  x0: Float32Array,
  reach: number,
  { norm, bounds: [low, high] }: Ball,
  rng: Rng,
): Talk<LocalView> {
  const size = x0.length;
  const goal = yield { kind: 'gradient', point: x0, loss: 'goal', probe: true };
  const zeroLoss = goal.gradient.every((g) => g === 0);
  const top = topOf(goal.logits);
  const badLoss = goal.gradient.some((g) => !Number.isFinite(g));
  const { gradient: given, margins } = yield { kind: 'gradient', point: x0, loss: 'margin', probe: true };
  const gradient = given.slice();
  // The sample itself, the pair along the gradient, pairs along random corners, the sample again.
  const count = 2 * PAIRS + 4;
  const points = new Float32Array(count * size);
  points.set(x0);
  points.set(x0, (count - 1) * size);
  for (let k = 0; k <= PAIRS; k++) {
    // At different lengths, so that no ripple meets all of them at the same place of its period.
    const length = reach * (1 - k / (2 * PAIRS));
    for (let i = 0; i < size; i++) {
      const step = length * (k === 0 ? Math.sign(gradient[i]!) || 0 : rng.uniform() < 0.5 ? -1 : 1);
      points[(2 * k + 1) * size + i] = Math.min(high, Math.max(low, x0[i]! + step));
      points[(2 * k + 2) * size + i] = Math.min(high, Math.max(low, x0[i]! - step));
    }
  }
  const margin = margins[0]!;
  const around = yield { kind: 'answers', points, count, probe: true };
  const predicted: number[] = [];
  const actual: number[] = [];
  for (let k = 0; k <= PAIRS; k++) {
    let promise = 0;
    for (let i = 0; i < size; i++)
      promise += gradient[i]! * (points[(2 * k + 1) * size + i]! - points[(2 * k + 2) * size + i]!);
    predicted.push(promise);
    // The loss is minus the margin.
    actual.push(around.margins[2 * k + 2]! - around.margins[2 * k + 1]!);
  }
  return {
    zeroLoss,
    zeroMargin: gradient.every((g) => g === 0),
    notFinite: badLoss || gradient.some((g) => !Number.isFinite(g)),
    margin,
    top,
    slope: dualLength(norm, gradient),
    agreement: correlation(predicted, actual),
    gap: Math.max(...[around.margins[0]!, around.margins.at(-1)!].map((again) => gapOf(margin, again))),
  };
}

function gapOf(a: number, b: number): number {
  return Math.abs(a - b) / Math.max(1e-3, Math.abs(a), Math.abs(b));
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

function topOf(outputs: Float32Array): number {
  const total = outputs.reduce((sum, z) => sum + Math.exp(z), 0);
  const mean = outputs.reduce((sum, z) => sum + z, 0) / outputs.length;
  const isNormal = outputs.length > 1 && Math.abs(total - 1) < 1e-3 && outputs.every((z) => z <= 0);
  return outputs.reduce((most, z) => Math.max(most, Math.abs(isNormal ? z - mean : z)), 0);
}

/** The gradient's length in the dual of a norm; of L0, which has none, as in Linf. */
function dualLength(norm: Norm, gradient: Float32Array): number {
  let sum = 0;
  let squares = 0;
  let most = 0;
  for (const g of gradient) {
    const size = Math.abs(g);
    sum += size;
    squares += size * size;
    most = Math.max(most, size);
  }
  return norm === 'l2' ? Math.sqrt(squares) : norm === 'l1' ? most : sum;
}
