import { GlacisError } from '../../core/error.ts';
import type { Optimiser } from './optimiser.ts';

/** Slot of the averaged weight in {@link withAverage}. */
export const AVERAGE = 'average';

/**
 * An optimiser that also keeps an exponential moving average of the weights, `a ← d·a + (1 − d)·w` with `d = min(decay, t / (t + 9))`, so that
 * the first weights do not linger. Errors: `option/invalid`.
 */
export function withAverage(inner: Optimiser, decay: number): Optimiser {
  if (!(decay > 0 && decay < 1))
    throw new GlacisError('option/invalid', `average: expected a decay between 0 and 1, got ${decay}`);
  return {
    name: inner.name,
    options: { ...inner.options, average: decay },
    slots: [...inner.slots, { name: AVERAGE, starts: 'at the weight' }],
    update(b, { weight, slots }, gradient, moment, decays) {
      const next = inner.update(b, { weight, slots: slots.slice(0, -1) }, gradient, moment, decays);
      const t = b.cast(moment.step, weight.dtype);
      const d = b.min(b.div(t, b.add(t, 9)), decay);
      const average = b.add(b.mul(slots.at(-1)!, d), b.mul(next.weight, b.sub(1, d)));
      return { weight: next.weight, slots: [...next.slots, average] };
    },
  };
}
