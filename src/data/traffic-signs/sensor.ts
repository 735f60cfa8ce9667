/** The lens and the sensor: blur, noise, eight bits. */
import type { Rng } from '../../core/random.ts';
import { between, type Picture, PLANE, SIZE } from './picture.ts';
import { cosine, sine } from './trigonometry.ts';
import { strength } from './trouble.ts';

/** Blurs at random and returns a new picture; `blurred`: out of focus, `moving`: smeared by motion. */
export function blur(picture: Picture, blurred: boolean, moving: boolean, rng: Rng): Picture {
  const reach = strength(rng, blurred, [1, 1.9], [2.2, 3.6]);
  const focused = smear(smear(picture, reach, 1, 0), reach, 0, 1);
  if (!moving) return focused;
  const angle = between(rng, 0, 180);
  return smear(focused, between(rng, 2, 4.5), cosine(angle), sine(angle));
}

/** Mean along one direction with the weights `(1 − (t / reach)²)²` at whole steps `t`; the picture's edges repeat. */
function smear(picture: Picture, reach: number, dx: number, dy: number): Picture {
  const taps = Math.ceil(reach) - 1;
  const weights = Array.from({ length: 2 * taps + 1 }, (_, k) => {
    const t = (k - taps) / reach;
    const fall = 1 - t * t;
    return fall * fall;
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const out = new Float32Array(picture.length);
  const sources = new Int32Array(SIZE);
  for (let k = 0; k < weights.length; k++) {
    const weight = weights[k]! / total;
    const right = Math.round((k - taps) * dx);
    const down = Math.round((k - taps) * dy);
    for (let column = 0; column < SIZE; column++) sources[column] = inside(column + right);
    for (let line = 0; line < 3 * SIZE; line++) {
      const row = line % SIZE;
      const from = (line - row + inside(row + down)) * SIZE;
      const to = line * SIZE;
      for (let column = 0; column < SIZE; column++) {
        out[to + column] = out[to + column]! + weight * picture[from + sources[column]!]!;
      }
    }
  }
  return out;
}

function inside(at: number): number {
  return Math.min(SIZE - 1, Math.max(0, at));
}

/**
 * Adds noise and rounds to eight bits. The noise of a value is the centred sum of four random bytes (near enough
 * normal); one word of `rng` starts a xorshift generator (Marsaglia 2003), as 3,072 draws from `rng` itself would take
 * most of a picture's time.
 */
export function expose(picture: Picture, noisy: boolean, rng: Rng): Uint8Array {
  // The sum of four bytes has standard deviation 147.8.
  const amplitude = strength(rng, noisy, [1, 7], [10, 26]) / 147.8;
  const shared = between(rng, 0, 0.8);
  let state = rng.integer(4294967295) + 1;
  const noise = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state & 255) + ((state >>> 8) & 255) + ((state >>> 16) & 255) + (state >>> 24) - 510;
  };
  const bytes = new Uint8Array(3 * PLANE);
  for (let i = 0; i < PLANE; i++) {
    const grey = shared * noise();
    for (let c = 0; c < 3 * PLANE; c += PLANE) {
      const value = picture[i + c]! * 255 + amplitude * (grey + (1 - shared) * noise());
      bytes[i + c] = Math.min(255, Math.max(0, Math.round(value)));
    }
  }
  return bytes;
}
