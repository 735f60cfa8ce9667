import type { Rng } from '../../core/random.ts';
import type { Ball } from '../../threat/norm.ts';

/**
 * A random start of Auto-PGD: linf and l2 on the surface of the ball (uniform or normal noise stretched to it), cut to the bounds; l1 from
 * normal noise as wide as the bounds, which its first projection moves onto the ball.
 */
export function apgdStart({ norm, eps, bounds }: Ball, x0: Float32Array, rng: Rng): Float32Array {
  const [low, high] = bounds;
  const noise = Float64Array.from(x0, () => (norm === 'linf' ? 2 * rng.uniform() - 1 : rng.normal()));
  if (norm === 'l1') {
    const width = Number.isFinite(high - low) ? high - low : eps;
    return Float32Array.from(x0, (v, i) => v + width * noise[i]!);
  }
  let length = 0;
  for (const v of noise) length = norm === 'linf' ? Math.max(length, Math.abs(v)) : length + v * v;
  const scale = eps / ((norm === 'linf' ? length : Math.sqrt(length)) + 1e-12);
  return Float32Array.from(x0, (v, i) => Math.min(high, Math.max(low, v + scale * noise[i]!)));
}
