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
 * `w ← w − α (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)`. What is kept between steps are `m / (1 − β₁)` and `v / (1 − β₂)`: the same
 * moves up to rounding, in fewer passes over the arrays. Errors: `option/invalid`.
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
      const isApart = name === 'adamw' && lambda > 0;
      const gradient = name === 'adam' && lambda > 0 ? b.add(plain, b.mul(weight, lambda)) : plain;
      const sum = b.add(b.mul(first!, beta1), gradient);
      const squares = b.add(b.mul(second!, beta2), b.mul(gradient, gradient));
      // All that is one number for a step is drawn together, so that each array is read as few times as can be:
      // α·m/c₁ / (√(v/c₂) + ε) = (α·q₁/q₂) · sum / (√squares + ε/q₂), with qᵢ the factors below.
      const size = share(b, beta1, step);
      const spread = b.unary('Sqrt', share(b, beta2, step));
      const single = (value: Value) => b.cast(value, weight.dtype);
      const pace = b.mul(rate, single(b.div(size, spread)));
      const move = b.div(sum, b.add(b.unary('Sqrt', squares), single(b.div(epsilon, spread))));
      const kept = isApart ? b.mul(weight, b.sub(1, b.mul(rate, lambda))) : weight;
      return { weight: b.sub(kept, b.mul(move, pace)), slots: [sum, squares] };
    },
  };
}

/** `(1 − β) / (1 − βᵗ)`, which makes the unbiased mean of a decayed sum; in float64 because for small `t` and `β` near 1 it divides differences. */
function share(b: Ops, beta: number, step: Value): Value {
  const t = b.cast(step, 'float64');
  return b.div(b.scalar(1 - beta, 'float64'), b.sub(1, b.pow(b.scalar(beta, 'float64'), t)));
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
