import { distance } from '../threat/norm.ts';
import type { Victim } from './sample-attack.ts';

/**
 * Moves `x` from the clean sample to a random point at distance `radius` (as far as the bounds allow): uniform in linf, else a normal direction, as FAB's authors start
 * over. `keys` name the draw: the same keys give the same point.
 */
export function scatter(
  { x0, size, ball, rng }: Victim,
  x: Float32Array,
  radius: number,
  keys: readonly (string | number)[],
): void {
  const random = rng(...keys);
  const draw = () => (ball.norm === 'linf' ? 2 * random.uniform() - 1 : random.normal());
  const direction = Float32Array.from({ length: size }, draw);
  const length = Math.max(distance(ball.norm, direction, new Float32Array(size), 0, size), 1e-12);
  const [low, high] = ball.bounds;
  for (let i = 0; i < size; i++)
    x[i] = Math.min(high, Math.max(low, x0[i]! + (radius / length) * direction[i]!));
}
