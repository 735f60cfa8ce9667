import { GlacisError } from '../../core/error.ts';
import type { Optimiser } from './optimiser.ts';

/** Constants of {@link sgd}. */
export interface SgdOptions {
  /** Share of the last velocity that is kept, in [0, 1). Default 0. */
  readonly momentum?: number;
  /** Looks ahead along the velocity (Nesterov 1983, in the form of Sutskever et al. 2013); needs momentum. Default false. */
  readonly nesterov?: boolean;
  /** Added to the gradient as this share of the weight (an L2 penalty); at least 0. Default 0. */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent: `v ← μv + g + λw`, `w ← w − αv`, or with Nesterov's look ahead `w ← w − α(g + λw + μv)`. The conventions are
 * PyTorch's: the rate multiplies the velocity. Errors: `option/invalid`.
 */
export function sgd({ momentum = 0, nesterov = false, weightDecay = 0 }: SgdOptions = {}): Optimiser {
  if (!(momentum >= 0 && momentum < 1))
    throw new GlacisError(
      'option/invalid',
      `momentum: expected a number from 0 up to, but not, 1, got ${momentum}`,
    );
  if (!(weightDecay >= 0 && Number.isFinite(weightDecay)))
    throw new GlacisError(
      'option/invalid',
      `weightDecay: expected a number of at least 0, got ${weightDecay}`,
    );
  if (nesterov && momentum === 0)
    throw new GlacisError(
      'option/invalid',
      'nesterov: expected a momentum above 0 to look ahead along, got 0',
    );
  return {
    name: 'sgd',
    options: { momentum, nesterov, weightDecay },
    slots: momentum === 0 ? [] : [{ name: 'velocity', starts: 'at zero' }],
    update(b, { weight, slots: [velocity] }, gradient, { rate }, decays) {
      const g = decays && weightDecay > 0 ? b.add(gradient, b.mul(weight, weightDecay)) : gradient;
      if (!velocity) return { weight: b.sub(weight, b.mul(g, rate)), slots: [] };
      const v = b.add(b.mul(velocity, momentum), g);
      const way = nesterov ? b.add(g, b.mul(v, momentum)) : v;
      return { weight: b.sub(weight, b.mul(way, rate)), slots: [v] };
    },
  };
}
