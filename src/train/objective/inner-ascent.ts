import { GlacisError } from '../../core/error.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import { elementCount, tensorFrom } from '../../onnx/tensor.ts';
import type { Constraint } from '../../threat/constraint.ts';
import { vjp } from '../../transform/gradient/vjp.ts';
import type { Ops } from '../../transform/ops.ts';
import type { Scene } from './objective.ts';

/** The ball that training attacks in. */
export interface TrainingBall {
  readonly norm: 'linf' | 'l2';
  /** Radius: a scalar of the graph, so that a schedule may change it. */
  readonly eps: Value;
  /** Lowest and highest value of an element of a sample. */
  readonly bounds: readonly [number, number];
}

/** What {@link ascendInside} climbs: the network's outputs `[B, K]` at a point, and the gradient of the loss there with respect to them. */
export type Slope = (x: Value) => { readonly outputs: Value; readonly gradient: Value };

/** The slope of the criterion's loss, of the network as it is deployed. */
export function lossSlope({
  b,
  criterion,
  targets,
  forward,
}: Pick<Scene, 'b' | 'criterion' | 'targets' | 'forward'>): Slope {
  return (x) => {
    const outputs = forward(x, { as: 'deployed' });
    return { outputs, gradient: criterion.write(b, outputs, targets).gradient };
  };
}

/**
 * Projected gradient ascent as nodes of the step's graph: `steps` times a forward and a backward pass and a step of length `stepSize`
 * (steepest in the norm), projected onto the ball around `x` and the bounds. Unrolled: the runtime then shares among all passes
 * what is made of the weights alone.
 *
 * @param start where it begins, inside the ball; of the shape of `x`
 * @returns the last point
 */
export function ascendInside(
  b: Ops,
  x: Value,
  start: Value,
  slope: Slope,
  ball: TrainingBall,
  steps: number,
  stepSize: Value,
): Value {
  let at = start;
  for (let k = 0; k < steps; k++) {
    const { outputs, gradient } = slope(at);
    const [g] = vjp(b, [{ value: outputs, grad: gradient }], [at]);
    at = intoBall(b, b.add(at, b.mul(steepest(b, g!, ball.norm), stepSize)), x, ball);
  }
  return at;
}

/** The direction in which a unit step of the norm gains most: the signs, or the gradient at length 1 (0 where it is 0). */
export function steepest(b: Ops, gradient: Value, norm: TrainingBall['norm']): Value {
  return norm === 'linf' ? b.unary('Sign', gradient) : b.div(gradient, lengths(b, gradient));
}

/** A gradient `[B, …]` with 0 where the constraint lets an element of a sample not change. */
export function whereFree(b: Ops, gradient: Value, constraint: Constraint | undefined): Value {
  if (!constraint?.free) return gradient;
  const dims = [1, ...gradient.dims.slice(1)];
  return b.mul(gradient, b.builder.constant(tensorFrom('float32', dims, Array.from(constraint.free))));
}

/** Nearest point to `at` in the ball around `x`, then in the bounds. */
export function intoBall(b: Ops, at: Value, x: Value, { norm, eps, bounds }: TrainingBall): Value {
  const box = (v: Value) => b.node('Clip', [v, b.scalar(bounds[0], v.dtype), b.scalar(bounds[1], v.dtype)]);
  if (norm === 'linf') return box(b.min(b.max(at, b.sub(x, eps)), b.add(x, eps)));
  const moved = b.sub(at, x);
  return box(b.add(x, b.mul(moved, b.min(b.div(eps, lengths(b, moved)), 1))));
}

/**
 * A random point of the ball from `noise`: uniform in [−1, 1] gives a uniform point for linf, normal numbers one near the sphere for l2.
 */
export function startInside(b: Ops, x: Value, noise: Value, ball: TrainingBall): Value {
  if (ball.norm === 'linf') return intoBall(b, b.add(x, b.mul(noise, ball.eps)), x, ball);
  // |noise|/√d is near 1 always: the direction counts, and eps the length.
  const d = elementCount(x.dims.slice(1));
  return intoBall(b, b.add(x, b.mul(noise, b.div(ball.eps, Math.sqrt(d)))), x, ball);
}

/** L2 length of each sample, `[B, 1, …]`, above 0. */
function lengths(b: Ops, v: Value): Value {
  const rest = v.dims.map((_, i) => i).slice(1);
  return b.max(b.unary('Sqrt', b.sum(b.mul(v, v), rest, true)), 1e-12);
}

/** Throws where the settings of an inner attack are out of range. Errors: `option/invalid`. */
export function checkInner({
  norm,
  steps,
  bounds,
}: {
  readonly norm: string;
  readonly steps: number;
  readonly bounds: readonly [number, number];
}): void {
  if (norm !== 'linf' && norm !== 'l2')
    throw new GlacisError('option/invalid', `norm: expected linf or l2 to train against, got ${norm}`);
  if (!(Number.isSafeInteger(steps) && steps >= 1))
    throw new GlacisError('option/invalid', `steps: expected a whole number of at least 1, got ${steps}`);
  if (!(bounds[0] < bounds[1]))
    throw new GlacisError('option/invalid', `bounds: expected the lower below the upper, got ${bounds}`);
}
