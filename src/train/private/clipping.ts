import { GlacisError } from '../../core/error.ts';
import { numberIn } from '../../core/option-checks.ts';
import { mergeOptions } from '../../core/options.ts';

/** A clipping norm that follows a quantile of the gradients' norms (Andrew et al. 2021). */
export interface AdaptiveClipping {
  /** The norm of the first step. Default 1. */
  readonly start?: number;
  /** Share of the samples that should not be clipped, in (0, 1). Default 0.5. */
  readonly quantile?: number;
  /** Rate of the geometric updates. Default 0.2. */
  readonly rate?: number;
  /**
   * Standard deviation of the noise on the count of samples that were not clipped. Default: a twentieth of the expected batch, or for small
   * batches the noise multiplier, which makes the gradients' noise 1.15 times as large.
   */
  readonly noise?: number;
}

/** How gradients of samples are clipped in a run. */
export interface Clipping {
  /** The norm of the first step. */
  readonly start: number;
  readonly adaptive?: { readonly quantile: number; readonly rate: number; readonly noise: number };
}

/**
 * The clipping of a run with this expected batch and noise multiplier. Errors: `option/invalid`, `option/unknown`.
 */
export function clippingOf(
  given: number | AdaptiveClipping,
  { expected, noise }: { readonly expected: number; readonly noise: number },
): Clipping {
  if (typeof given === 'number') {
    numberIn({ clip: given }, 'clip', 0);
    return { start: given };
  }
  const adaptive = mergeOptions(
    'adaptive clipping',
    { start: 1, quantile: 0.5, rate: 0.2, noise: Math.max(expected / 20, noise) },
    { ...given },
  );
  for (const name of ['start', 'rate', 'noise'] as const) numberIn(adaptive, name, 0);
  if (!(adaptive.quantile > 0 && adaptive.quantile < 1))
    throw new GlacisError(
      'option/invalid',
      `quantile: expected a share between 0 and 1, got ${adaptive.quantile}`,
    );
  const { start, ...rest } = adaptive;
  return { start, adaptive: rest };
}

/**
 * The noise multiplier of the gradients, so that gradients and count together promise what `noise` alone would: a step is one Gaussian
 * mechanism with `z⁻² = z_g⁻² + (2σ_b)⁻²`, where the count's samples weigh ½ each (Andrew et al. 2021, theorem 1).
 * Errors: `option/invalid` where the count's noise is too small for that.
 */
export function gradientNoise(noise: number, { adaptive }: Clipping): number {
  if (!adaptive) return noise;
  const rest = noise ** -2 - (2 * adaptive.noise) ** -2;
  if (!(rest > 0))
    throw new GlacisError(
      'option/invalid',
      `adaptive clipping: expected noise on the count above ${noise / 2}, half the noise multiplier, got ${adaptive.noise}`,
    );
  return rest ** -0.5;
}

/**
 * The norm of the next step: `C · exp(−η (b̃ − γ))`, with `b̃ = ½ + (Σ (bᵢ − ½) + N(0, σ_b²)) / expected` the noisy share of samples whose
 * norm was at most `C`. Centred, a sample moves the sum by ½, whichever side it is on.
 *
 * @param draw a standard normal number
 */
export function nextNorm(
  norm: number,
  { adaptive }: Clipping,
  counts: { readonly samples: number; readonly below: number; readonly expected: number },
  draw: number,
): number {
  if (!adaptive) return norm;
  const { quantile, rate, noise } = adaptive;
  const share = 0.5 + (counts.below - counts.samples / 2 + noise * draw) / counts.expected;
  return norm * Math.exp(-rate * (share - quantile));
}
