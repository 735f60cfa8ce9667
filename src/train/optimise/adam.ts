import { GlacisError } from '../../core/error.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import type { Ops } from '../../transform/ops.ts';
import type { Optimiser } from './optimiser.ts';

/** Constants of {@link adam} and {@link adamW}. */
export interface AdamOptions {
  /** Decay of the gradients' running mean, in [0, 1). Default 0.9. */
  readonly beta1?: number;
  /** Decay of the squared gradients' running mean, in [0, 1). Default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the second moment; above 0. Default 1e-8. */
  readonly epsilon?: number;
  /** At least 0. {@link adam} adds this share of the weight to the gradient, {@link adamW} takes it off the weight per unit of rate. Default 0. */
  readonly weightDecay?: number;
}

/**
 * Adam (Kingma & Ba 2015, algorithm 1): `m ← β₁m + (1 − β₁)g`, `v ← β₂v + (1 − β₂)g²`,
 * `w ← w − α (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)`. Errors: `option/invalid`.
 */
export function adam(options: AdamOptions = {}): Optimiser {
  return adamLike('adam', options);
}

/** Adam with decoupled weight decay, `w ← w − αλw` beside Adam's move (Loshchilov & Hutter 2019). Errors: `option/invalid`. */
export function adamW(options: AdamOptions = {}): Optimiser {
  return adamLike('adamw', { weightDecay: 0.01, ...options });
}

function adamLike(name: 'adam' | 'adamw', given: AdamOptions): Optimiser {
  const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, ...given };
  check(options);
  const { beta1, beta2, epsilon, weightDecay } = options;
  return {
    name,
    options,
    slots: [
      { name: 'first', starts: 'at zero' },
      { name: 'second', starts: 'at zero' },
    ],
    update(b, { weight, slots: [first, second] }, plain, { step, rate }, decays) {
      const lambda = decays ? weightDecay : 0;
      const gradient = name === 'adam' && lambda > 0 ? b.add(plain, b.mul(weight, lambda)) : plain;
      const m = b.add(b.mul(first!, beta1), b.mul(gradient, 1 - beta1));
      const v = b.add(b.mul(second!, beta2), b.mul(b.mul(gradient, gradient), 1 - beta2));
      const mean = b.div(m, correction(b, beta1, step, weight));
      const spread = b.add(b.unary('Sqrt', b.div(v, correction(b, beta2, step, weight))), epsilon);
      const moved = b.sub(weight, b.mul(b.div(mean, spread), rate));
      const isApart = name === 'adamw' && lambda > 0;
      return {
        weight: isApart ? b.sub(moved, b.mul(weight, b.mul(rate, lambda))) : moved,
        slots: [m, v],
      };
    },
  };
}

/** `1 − βᵗ`, in float64 because for `β₂` and small `t` it is a difference of nearly equal numbers. */
function correction(b: Ops, beta: number, step: Value, weight: Value): Value {
  const t = b.cast(step, 'float64');
  return b.cast(b.sub(1, b.pow(b.scalar(beta, 'float64'), t)), weight.dtype);
}

function check(options: Required<AdamOptions>): void {
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
