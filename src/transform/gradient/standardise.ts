import type { Value } from '../../onnx/graph-builder.ts';
import type { Ops } from '../ops.ts';

/** `x` about its mean, and what it is multiplied by to have variance 1; reduced axes are kept as size 1. */
export interface Standardised {
  /** `x − μ` */
  readonly centred: Value;
  /** `r = 1 / √(σ² + ε)` */
  readonly scale: Value;
}

/** Mean and population variance of `x` over `axes`, as {@link Standardised}. */
export function standardise(b: Ops, x: Value, axes: readonly number[], epsilon: number): Standardised {
  const centred = b.sub(x, b.mean(x, axes, true));
  const variance = b.mean(b.mul(centred, centred), axes, true);
  return { centred, scale: b.div(1, b.unary('Sqrt', b.add(variance, epsilon))) };
}

/** `x̂ = (x − μ) r` */
export function standardised(b: Ops, { centred, scale }: Standardised): Value {
  return b.mul(centred, scale);
}

/**
 * The gradient of `x̂ = (x − μ) r` with respect to `x`, from `ĝ`, the cotangent of `x̂`:
 * `r (ĝ − mean(ĝ) − (x − μ) r² mean(ĝ (x − μ)))`, arranged so that no factor exceeds `r²` (16-bit floats).
 */
export function standardiseGradient(
  b: Ops,
  g: Value,
  { centred, scale }: Standardised,
  axes: readonly number[],
): Value {
  const along = b.mul(scale, b.mul(scale, b.mean(b.mul(g, centred), axes, true)));
  return b.mul(b.sub(b.sub(g, b.mean(g, axes, true)), b.mul(centred, along)), scale);
}

/** A vector over channels as `[1, C, 1…]`, in the type of `x`. */
export function overChannels(b: Ops, vector: Value, x: Value): Value {
  return b.cast(b.reshape(vector, [1, vector.dims[0]!, ...x.dims.slice(2).map(() => 1)]), x.dtype);
}

/** Sums over all axes but channels, keeping the batch when `perSample`, in the type of `vector`. */
export function sumToChannels(b: Ops, g: Value, vector: Value, perSample: boolean): Value {
  const spatial = g.dims.slice(2).map((_, i) => i + 2);
  return b.cast(b.sum(g, perSample ? spatial : [0, ...spatial]), vector.dtype);
}
