import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import type { ImageDims } from '../image-dims.ts';
import { transportPlan } from './plan.ts';
import { reachOf } from './reach.ts';

const [HEIGHT, WIDTH] = [2, 24];
const N = HEIGHT * WIDTH;
const image: ImageDims = { channels: 1, height: HEIGHT, width: WIDTH, layout: 'chw' };

/** So dark that all light together fits into one pixel: nothing is cut off. */
function picture(seed: number): Float32Array {
  const rng = randomFrom(seed, 'plan');
  return Float32Array.from({ length: N }, () => -1 + 0.04 * rng.uniform());
}

/** The most that any plan gains: by duality, the least of a convex function of what distance costs. */
function mostGain(x0: Float32Array, gradient: Float32Array, kernel: number, eps: number): number {
  const { radius } = reachOf(kernel);
  const total = x0.reduce((sum, v) => sum + v + 1, 0);
  const at = (price: number) => {
    let sum = price * eps * total;
    for (let i = 0; i < N; i++) {
      let most = Number.NEGATIVE_INFINITY;
      for (let j = 0; j < N; j++) {
        const down = Math.floor(j / WIDTH) - Math.floor(i / WIDTH);
        const right = (j % WIDTH) - (i % WIDTH);
        if (Math.max(Math.abs(down), Math.abs(right)) > radius) continue;
        most = Math.max(most, gradient[j]! - price * Math.hypot(down, right));
      }
      sum += (x0[i]! + 1) * most;
    }
    return sum;
  };
  let [low, high] = [0, 10];
  for (let i = 0; i < 60; i++) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
    if (at(a) < at(b)) high = b;
    else low = a;
  }
  return at(low);
}

describe.each([3, 5, 21])('a plan of transport in a window of %i', (kernel) => {
  it.each([0.05, 0.3, 1.2, 30])('gains the most that a distance of %d allows', (eps) => {
    for (let seed = 0; seed < 3; seed++) {
      const x0 = picture(seed);
      const rng = randomFrom(seed, 'gradient');
      const gradient = Float32Array.from({ length: N }, () => rng.normal());
      const plan = transportPlan(x0, image, [-1, 1], reachOf(kernel));
      plan.advance(gradient, 1, eps);
      expect(plan.cost()).toBeLessThanOrEqual(eps * (1 + 1e-9));
      const x = new Float32Array(N);
      plan.picture(x);
      const gained = x.reduce((sum, v, i) => sum + (v + 1) * gradient[i]!, 0);
      const most = mostGain(x0, gradient, kernel, eps);
      expect(Math.abs(gained - most)).toBeLessThan(1e-5);
    }
  });
});
