import { GlacisError } from '../../core/error.ts';
import type { Ball } from '../../threat/norm.ts';

/**
 * The change of variables of Carlini & Wagner 2017 that keeps points within bounds: `x = middle + half · tanh(w)`.
 */
export interface TanhSpace {
  /** `w` of `x`, written to `out`. `shrink` (at most 1) draws x towards the middle first, so that values on a bound can move. */
  into(x: Float32Array, shrink: number, out: Float32Array): void;
  /** `x` of `w`, written to `x`, and `dx/dw` to `slope`. */
  outOf(w: Float32Array, x: Float32Array, slope: Float32Array): void;
}

/** The {@link TanhSpace} of `bounds`. Errors: `option/invalid` where they are not finite. */
export function tanhSpace([low, high]: Ball['bounds']): TanhSpace {
  if (!Number.isFinite(high - low))
    throw new GlacisError('option/invalid', `bounds: expected two finite numbers, got ${low} and ${high}`);
  const middle = (low + high) / 2;
  const half = (high - low) / 2;
  return {
    into(x, shrink, out) {
      for (let i = 0; i < x.length; i++) out[i] = Math.atanh(((x[i]! - middle) / half) * shrink);
    },
    outOf(w, x, slope) {
      for (let i = 0; i < w.length; i++) {
        const t = Math.tanh(w[i]!);
        x[i] = middle + half * t;
        slope[i] = half * (1 - t * t);
      }
    },
  };
}
