/** The light of a picture: exposure, contrast, colour cast, a gradient, a shadow's edge, haze. */
import type { Rng } from '../../core/random.ts';
import { between, type Picture, PLANE, SIZE } from './picture.ts';
import { cosine, sine } from './trigonometry.ts';
import { strength } from './trouble.ts';

/** Lights the picture at random, in place; `dark`: dusk, `hazy`: little contrast. */
export function light(picture: Picture, dark: boolean, hazy: boolean, rng: Rng): void {
  const exposure = strength(rng, dark, [0.6, 1.3], [0.15, 0.4]);
  const contrast = strength(rng, hazy, [0.7, 1.15], [0.22, 0.5]);
  const haze = between(rng, 0.3, 0.7) * Math.min(1, exposure);
  const [red, green, blue] = [between(rng, 0.85, 1.15), between(rng, 0.92, 1.08), between(rng, 0.8, 1.2)];
  const slope = between(rng, -0.35, 0.35) / SIZE;
  const direction = between(rng, 0, 360);
  const [gx, gy] = [slope * cosine(direction), slope * sine(direction)];
  const shade = rng.uniform() < 0.25 ? between(rng, 0.3, 0.75) : 1;
  const turn = between(rng, 0, 360);
  const [sx, sy, offset] = [cosine(turn), sine(turn), between(rng, -9, 9)];
  const width = between(rng, 1, 5);
  for (let i = 0; i < PLANE; i++) {
    const x = (i % SIZE) - SIZE / 2;
    const y = (i - (i % SIZE)) / SIZE - SIZE / 2;
    const shadowed = Math.min(1, Math.max(0, 0.5 + (sx * x + sy * y - offset) / width));
    const gain = exposure * (1 + gx * x + gy * y) * (1 - (1 - shade) * shadowed);
    picture[i] = haze + (picture[i]! * gain * red - haze) * contrast;
    picture[i + PLANE] = haze + (picture[i + PLANE]! * gain * green - haze) * contrast;
    picture[i + 2 * PLANE] = haze + (picture[i + 2 * PLANE]! * gain * blue - haze) * contrast;
  }
}
