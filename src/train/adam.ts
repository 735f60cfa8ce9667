import { GlacisError } from '../core/error.ts';
import type { Value } from '../onnx/graph-builder.ts';
import type { Ops } from '../transform/ops.ts';

/** Constants of Adam. */
export interface AdamOptions {
  /** Decay of the gradients' running mean, in [0, 1). */
  readonly beta1: number;
  /** Decay of the squared gradients' running mean, in [0, 1). */
  readonly beta2: number;
  /** Added to the root of the second moment; above 0. */
  readonly epsilon: number;
  /** Decoupled weight decay (AdamW, Loshchilov & Hutter 2019): share of the weight taken away per unit of learning rate. */
  readonly weightDecay: number;
}

/** The paper's constants, without decay. */
export const ADAM_DEFAULTS: AdamOptions = Object.freeze({
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
});

/** A weight with its optimiser state; all three of one shape. */
export interface AdamState {
  readonly weight: Value;
  /** Running mean of the gradient, `m`. */
  readonly first: Value;
  /** Running mean of the squared gradient, `v`. */
  readonly second: Value;
}

/**
 * Writes one update of Adam (Kingma & Ba 2015, algorithm 1) for one weight:
 * `m ← β₁m + (1 − β₁)g`, `v ← β₂v + (1 − β₂)g²`, `w ← w − α (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε) − αλw`.
 *
 * @param step `t`, a scalar int64 that counts from 1
 * @param rate the learning rate `α`, a scalar of the weight's type
 */
export function adam(
  b: Ops,
  { weight, first, second }: AdamState,
  gradient: Value,
  step: Value,
  rate: Value,
  { beta1, beta2, epsilon, weightDecay }: AdamOptions,
): AdamState {
  const m = b.add(b.mul(first, beta1), b.mul(gradient, 1 - beta1));
  const v = b.add(b.mul(second, beta2), b.mul(b.mul(gradient, gradient), 1 - beta2));
  const mean = b.div(m, correction(b, beta1, step, weight));
  const spread = b.add(b.unary('Sqrt', b.div(v, correction(b, beta2, step, weight))), epsilon);
  const moved = b.sub(weight, b.mul(b.div(mean, spread), rate));
  const decayed = weightDecay === 0 ? moved : b.sub(moved, b.mul(weight, b.mul(rate, weightDecay)));
  return { weight: decayed, first: m, second: v };
}

/** `1 − βᵗ`, in float64 because for `β₂` and small `t` it is a difference of nearly equal numbers. */
function correction(b: Ops, beta: number, step: Value, weight: Value): Value {
  const t = b.cast(step, 'float64');
  return b.cast(b.sub(1, b.pow(b.scalar(beta, 'float64'), t)), weight.dtype);
}

/** Throws where a constant of Adam is out of range. Errors: `option/invalid`. */
export function checkAdam(options: AdamOptions): void {
  const rules: readonly (readonly [keyof AdamOptions, string, (v: number) => boolean])[] = [
    ['beta1', 'a number from 0 up to, but not, 1', (v) => v >= 0 && v < 1],
    ['beta2', 'a number from 0 up to, but not, 1', (v) => v >= 0 && v < 1],
    ['epsilon', 'a number above 0', (v) => v > 0 && Number.isFinite(v)],
    ['weightDecay', 'a number of at least 0', (v) => v >= 0 && Number.isFinite(v)],
  ];
  for (const [name, expected, holds] of rules) {
    if (!holds(options[name]))
      throw new GlacisError('option/invalid', `${name}: expected ${expected}, got ${options[name]}`);
  }
}
