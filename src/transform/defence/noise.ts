import { numberIn, wholeFrom } from '../../core/option-checks.ts';
import { float } from '../../onnx/attributes.ts';
import { defineDefence } from './defence.ts';

/** Options of random noise. */
export interface NoiseOptions {
  /** Standard deviation, as a share of the range of values. */
  readonly sigma: number;
  /**
   * Seed of the draws of a session, so that sessions repeat each other; 0 leaves it to the runtime, which takes another in each process.
   */
  readonly seed: number;
}

/**
 * Normal noise on every value, drawn anew for each answer and not clipped: what randomised smoothing adds, without the vote over many
 * answers that its certificate needs (Cohen et al. 2019).
 */
export const noise = defineDefence<NoiseOptions>({
  id: 'noise',
  title: 'Random noise',
  source: 'https://arxiv.org/abs/1902.02918',
  use: 'To compare with randomised smoothing. Alone it only makes gradients noisy, and averaging over a few answers undoes that.',
  random: true,
  defaults: { sigma: 0.1, seed: 0 },
  check(options) {
    numberIn(options, 'sigma', 0, 10);
    wholeFrom(options, 'seed', 0);
  },
  apply(draft, x, _form, { sigma, seed }) {
    const drawn = draft.node('RandomNormalLike', [x], {
      mean: float(0),
      scale: float(sigma),
      ...(seed > 0 && { seed: float(seed) }),
    });
    return draft.node('Add', [x, drawn]);
  },
});
