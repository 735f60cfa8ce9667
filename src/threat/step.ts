import { GlacisError } from '../core/error.ts';
import type { Value } from '../onnx/graph-builder.ts';
import { elementCount, tensorFrom } from '../onnx/tensor.ts';
import type { TargetGraph } from '../runtime/target.ts';
import type { GradientOptions } from '../transform/gradient/rule.ts';
import { vjp } from '../transform/gradient/vjp.ts';
import type { Ops } from '../transform/ops.ts';
import type { Goal } from './goal.ts';
import type { Ball } from './norm.ts';

/** The largest number that the gradient's elements are cut to, so that an infinite one leaves a direction. */
const LARGEST = 1e38;

/** How a step goes. */
export interface StepOptions extends GradientOptions {
  /**
   * What a step in l1 takes of the gradient: its largest elements alike (`largest`, the default), or all that have room, each by its size (`all`): `g / ‖g‖₁`. The first
   * wins more where many steps follow, the second where there is one.
   */
  readonly l1Step?: 'largest' | 'all' | undefined;
}

/** Names of the step graph's inputs beside the model's own. */
export const STEP_INPUTS = { goal: 'glacis_goal', start: 'glacis_start', free: 'glacis_free' } as const;

/**
 * One step of projected gradient ascent as part of the graph: from the current iterates it computes `logits` `[B, K]` and
 * `loss` `[B]` *at* them, and `next`, the iterates after one steepest-ascent step of length `step` in the ball's norm,
 * projected onto ball and bounds.
 *
 * Steepest ascent: `sign g` (linf), `g / ‖g‖₂` (l2), or the signs of the largest 1 % of the gradient's elements that still have room,
 * sharing the step (l1; Tramèr & Boneh 2019, "sparse l1 descent", their q = 99 %), unless `l1Step` says otherwise. However small a gradient is, its direction
 * counts: the gradient of a very confident model would vanish in `g / ‖g‖₂` when it is squared. Elements that are not a
 * number count as zero.
 * Under a constraint the model is asked about a projected copy `x` of the iterate `free`, and the step goes on from `free` (straight-through):
 * steps shorter than a level add up. Elements that may not change take no part of a step.
 * Sound because clipping to the bounds after projecting onto the ball never raises a distance from a start that lies in
 * the bounds.
 */
export function ascentStep(
  { b, x, logits }: TargetGraph,
  goal: Goal,
  ball: Ball,
  step: number,
  options: StepOptions = {},
): Record<string, Value> {
  const batch = x.dims[0]!;
  const { dtype, dims } = goal.input(batch);
  const wanted = b.builder.input(STEP_INPUTS.goal, dtype, dims);
  const start = b.builder.input(STEP_INPUTS.start, x.dtype, x.dims);
  const own = ball.constraint ? b.builder.input(STEP_INPUTS.free, x.dtype, x.dims) : x;
  const { loss, gradient } = goal.loss(b, logits, wanted);
  const cotangent = gradient
    ? { value: logits, grad: gradient }
    : { value: loss, grad: b.full(loss.dims, 1, loss.dtype) };
  const [g] = vjp(b, [cotangent], [x], options);
  const direction = ball.constraint?.free ? b.mul(g!, openElements(b, x, ball.constraint.free)) : g!;
  return {
    logits,
    loss,
    next: project(b, ascend(b, own, direction, { ball, step, ...options }), start, ball),
  };
}

/** 1 for each element that the constraint lets change, `[1, …]`. */
function openElements(b: Ops, x: Value, free: Uint8Array): Value {
  return b.builder.constant(tensorFrom(x.dtype, [1, ...x.dims.slice(1)], Array.from(free)));
}

/** The model alone: `logits` and `loss` at the iterates, for finished iterates that need no gradient. */
export function evaluation({ b, x, logits }: TargetGraph, goal: Goal): Record<string, Value> {
  const { dtype, dims } = goal.input(x.dims[0]!);
  const wanted = b.builder.input(STEP_INPUTS.goal, dtype, dims);
  return { logits, loss: goal.loss(b, logits, wanted).loss };
}

function ascend(
  b: Ops,
  x: Value,
  gradient: Value,
  { ball, step, l1Step }: StepOptions & { readonly ball: Ball; readonly step: number },
): Value {
  const { norm, bounds } = ball;
  const g = b.where(b.node('IsNaN', [gradient]), 0, gradient);
  if (norm === 'linf') return b.add(x, b.mul(b.unary('Sign', g), step));
  const rest = x.dims.map((_, i) => i).slice(1);
  if (norm === 'l2') {
    const scaled = byLargest(b, g, rest);
    const length = b.unary('Sqrt', b.sum(b.mul(scaled, scaled), rest, true));
    return b.add(x, b.mul(b.div(scaled, b.max(length, 1 / LARGEST)), step));
  }
  if (norm === 'l1') {
    const outward = b.node('Or', [
      b.node('And', [b.compare('GreaterOrEqual', x, bounds[1]), b.compare('Greater', g, 0)]),
      b.node('And', [b.compare('LessOrEqual', x, bounds[0]), b.compare('Less', g, 0)]),
    ]);
    const inward = b.where(outward, 0, g);
    if (l1Step === 'all') {
      const scaled = byLargest(b, inward, rest);
      const length = b.sum(b.unary('Abs', scaled), rest, true);
      return b.add(x, b.mul(b.div(scaled, b.max(length, 1 / LARGEST)), step));
    }
    const flat = b.reshape(inward, [x.dims[0]!, elements(x)]);
    const size = b.unary('Abs', flat);
    const k = Math.max(1, Math.ceil(0.01 * elements(x)));
    const [top] = b.nodes('TopK', [size, b.ints([k])], { axis: 1 }, { outputs: 2 });
    const threshold = b.max(b.slice(top!, 1, k - 1, k), 1 / LARGEST);
    const signs = b.where(b.compare('GreaterOrEqual', size, threshold), b.unary('Sign', flat), 0);
    const count = b.max(b.sum(b.unary('Abs', signs), [1], true), 1);
    return b.add(x, b.reshape(b.mul(b.div(signs, count), step), x.dims));
  }
  throw new GlacisError('option/invalid', `norm: expected linf, l2 or l1, got ${norm}`);
}

/** The gradient over its largest element, so that no square or sum over- or underflows. */
function byLargest(b: Ops, gradient: Value, axes: readonly number[]): Value {
  const bounded = b.min(b.max(gradient, -LARGEST), LARGEST);
  const largest = b.reduceMax(b.unary('Abs', bounded), axes, true);
  return b.div(bounded, b.max(largest, 1 / LARGEST));
}

/** Projects `x` onto the ball around `start`, then onto the bounds. */
function project(b: Ops, x: Value, start: Value, { norm, eps, bounds }: Ball): Value {
  const box = (v: Value) => b.node('Clip', [v, b.scalar(bounds[0], v.dtype), b.scalar(bounds[1], v.dtype)]);
  if (norm === 'linf') return box(b.max(b.min(x, b.add(start, eps)), b.sub(start, eps)));
  const delta = b.sub(x, start);
  const rest = x.dims.map((_, i) => i).slice(1);
  if (norm === 'l2') {
    const length = b.unary('Sqrt', b.sum(b.mul(delta, delta), rest, true));
    return box(b.add(start, b.mul(delta, b.min(b.div(eps, b.max(length, 1e-12)), 1))));
  }
  return box(b.add(start, projectL1(b, delta, eps)));
}

/**
 * Projection onto the L1 ball by soft thresholding (Duchi et al. 2008): sort |δ|, find the last rank ρ whose element exceeds
 * `(Σ_{i≤ρ} |δ|_(i) − eps) / ρ`, and shrink by that amount; inside the ball it changes nothing.
 */
function projectL1(b: Ops, delta: Value, eps: number): Value {
  const n = elements(delta);
  const flat = b.reshape(delta, [delta.dims[0]!, n]);
  const size = b.unary('Abs', flat);
  const [sorted] = b.nodes('TopK', [size, b.ints([n])], { axis: 1 }, { outputs: 2 });
  const excess = b.sub(b.node('CumSum', [sorted!, b.scalar(1, 'int64')]), eps);
  const rank = b.cast(b.builder.constant(rankTensor(n)), delta.dtype);
  const means = b.div(excess, rank);
  // ≥ and not >: an element equal to the threshold does not change it, and the largest counts even where eps rounds to 0.
  const inside = b.compare('GreaterOrEqual', sorted!, means);
  const rho = b.max(b.sum(b.cast(inside, delta.dtype), [1], true), 1);
  const total = b.sum(b.where(inside, sorted!, 0), [1], true);
  const theta = b.max(b.div(b.sub(total, eps), rho), 0);
  const shrunk = b.mul(b.unary('Sign', flat), b.max(b.sub(size, theta), 0));
  return b.reshape(shrunk, delta.dims);
}

function rankTensor(n: number) {
  return {
    dtype: 'float32' as const,
    dims: [1, n],
    data: new Uint8Array(Float32Array.from({ length: n }, (_, i) => i + 1).buffer),
  };
}

function elements(x: Value): number {
  return elementCount(x.dims.slice(1));
}
