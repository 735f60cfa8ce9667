import { randomFrom } from '../../core/random.ts';
import { type Ball, randomStart } from '../../threat/norm.ts';

/** Whether there is a change at random to compare with: in all norms but l0. */
export function hasNoise({ norm }: Pick<Ball, 'norm'>): boolean {
  return norm !== 'l0';
}

/**
 * Samples with a change at random that knows no model, within the ball and as large as it allows: random signs of eps in linf, a point
 * of the ball drawn uniformly in l2 and l1 (in many dimensions nearly all of them lie close to its surface). What it fools is the model's
 * frailty and no transfer. Draws belong to the seed and to a sample's number.
 *
 * @param x clean samples, row-major `[n, size]`
 * @param first number of the first one in the data
 */
export function noisy(ball: Ball, x: Float32Array, size: number, first: number, seed: number): Float32Array {
  const { norm, eps, bounds, constraint } = ball;
  const [low, high] = bounds;
  const changed = x.slice();
  for (let at = 0; at < x.length; at += size) {
    const rng = randomFrom(seed, 'transfer', 'noise', first + at / size);
    if (norm === 'linf')
      for (let i = at; i < at + size; i++)
        changed[i] = Math.min(high, Math.max(low, x[i]! + (rng.uniform() < 0.5 ? -eps : eps)));
    else randomStart(ball, x, changed, at, size, rng);
    constraint?.project(changed, at, x, at, size, ball);
  }
  return changed;
}
