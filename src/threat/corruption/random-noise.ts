import type { Rng } from '../../core/random.ts';

/** Plain random noise, as a yardstick for attacks: what no attacker need have a hand in. */
export const RANDOM_NOISES = ['uniform', 'gaussian'] as const;

/** One of {@link RANDOM_NOISES}. */
export type RandomNoise = (typeof RANDOM_NOISES)[number];

/**
 * The image with noise on every value, clipped to [0, 1]: `uniform` draws from the Linf ball of radius `amount`, `gaussian`
 * from a normal distribution of standard deviation `amount`.
 *
 * @param image values in [0, 1]; not changed
 * @param amount on the same scale
 */
export function addRandomNoise(
  image: Float32Array,
  noise: RandomNoise,
  amount: number,
  rng: Rng,
): Float32Array {
  const draw = noise === 'uniform' ? () => 2 * rng.uniform() - 1 : () => rng.normal();
  return image.map((value) => Math.min(1, Math.max(0, value + amount * draw())));
}
