import { type Attack, defineSampleAttack, type Talk, type Victim } from '../../attack/index.ts';
import { GlacisError } from '../../core/error.ts';
import type { Rng } from '../../core/random.ts';

/** Options of random noise. */
export interface NoiseOptions {
  /** Draws. */
  readonly tries: number;
}

/**
 * Noise as strong as the ball allows: for `linf` each element at one end of what it may be, for `l2` a random direction at full length. No attack, but what an
 * attack is to be held against: the same amount of change without knowing anything. Cost: `tries` answers.
 */
export const randomNoise: Attack<NoiseOptions> = defineSampleAttack({
  id: 'random-noise',
  title: 'Random noise',
  needs: 'labels',
  seeks: 'ball',
  norms: ['linf', 'l2'],
  source: 'https://arxiv.org/abs/1412.6572',
  use: 'What chance alone does with the same amount of change.',
  defaults: { tries: 20 },
  check({ tries }) {
    if (!Number.isInteger(tries) || tries < 1)
      throw new GlacisError('option/invalid', `tries: expected a whole number of at least 1, got ${tries}`);
  },
  cost: ({ tries }) => ({ gradients: 0, evaluations: tries }),
  *talk(victim: Victim, { tries }): Talk {
    for (let draw = 0; draw < tries; draw++) yield* victim.answers(noisy(victim, victim.rng(draw)));
  },
});

function noisy({ x0, ball: { norm, eps, bounds } }: Victim, rng: Rng): Float32Array {
  const change = Float32Array.from(x0, () =>
    norm === 'linf' ? (rng.uniform() < 0.5 ? -eps : eps) : rng.normal(),
  );
  const length = norm === 'linf' ? eps : Math.hypot(...change);
  const scale = eps === 0 ? 0 : eps / Math.max(length, 1e-30);
  return x0.map((value, i) => Math.min(bounds[1], Math.max(bounds[0], value + change[i]! * scale)));
}
