import type { Rng } from '../../core/random.ts';
import { plasma } from './plasma.ts';

/** Pixels of a needle in a photograph at full size: the shortest, and how much longer the longest is. */
const SHORTEST = 20;
const LONGER = 100;
/** Side branches leave a needle at 60°, as ice grows. */
const BRANCH = Math.PI / 3;
/** Drawn length for every pixel of the picture. */
const COVER = 1.8;
/** What the clouds between the crystals add. */
const CLOUDS = 2;
/** Share of the variance that crystals smaller than a pixel have in a drawing of no size; none at full size. */
const GRAIN = 0.45;

/**
 * Frost on glass, drawn: feathers of ice, each a needle with ever shorter branches, over faint clouds. `height × width`
 * values of mean 0 and standard deviation 1.
 *
 * @param scale size of the drawing; 1 is a photograph's own
 */
export function crystals(height: number, width: number, scale: number, rng: Rng): Float64Array {
  const ice = plasma(height, width, 1.6, rng).map((value) => CLOUDS * value);
  const pen: Pen = { ice, height, width };
  let left = (COVER * height * width) / scale;
  while (left > 0) {
    const length = scale * (SHORTEST + LONGER * rng.uniform() ** 2);
    left -= feather(pen, length, rng);
  }
  const drawn = standardised(ice);
  const grain = GRAIN * (1 - scale);
  if (grain === 0) return drawn;
  return drawn.map((value) => Math.sqrt(1 - grain) * value + Math.sqrt(grain) * rng.normal());
}

interface Pen {
  readonly ice: Float64Array;
  readonly height: number;
  readonly width: number;
}

/** Draws one feather at random; gives the length of its lines. */
function feather(pen: Pen, length: number, rng: Rng): number {
  const angle = 2 * Math.PI * rng.uniform();
  const light = 0.4 + 0.6 * rng.uniform();
  const [y, x] = [pen.height * rng.uniform(), pen.width * rng.uniform()];
  let drawn = line(pen, y, x, angle, length, light);
  const gap = length / 16;
  for (let at = gap; at < length; at += gap)
    for (const side of [-BRANCH, BRANCH]) {
      const reach = 0.45 * (length - at) * (0.6 + 0.4 * rng.uniform());
      const [fromY, fromX] = [y + at * Math.sin(angle), x + at * Math.cos(angle)];
      drawn += line(pen, fromY, fromX, angle + side, reach, 0.7 * light);
    }
  return drawn;
}

/** Steps along a line, in pixels. */
const STEP = 0.5;

/** Draws a line that fades towards its end; each point is shared among the four pixels around it. Gives its length. */
function line(pen: Pen, y: number, x: number, angle: number, length: number, light: number): number {
  const [down, right] = [Math.sin(angle), Math.cos(angle)];
  for (let at = 0; at < length; at += STEP) {
    const ink = STEP * light * (1 - (0.6 * at) / length);
    const [py, px] = [y + at * down, x + at * right];
    const [top, west] = [Math.floor(py), Math.floor(px)];
    const [v, u] = [py - top, px - west];
    dab(pen, top, west, ink * (1 - v) * (1 - u));
    dab(pen, top, west + 1, ink * (1 - v) * u);
    dab(pen, top + 1, west, ink * v * (1 - u));
    dab(pen, top + 1, west + 1, ink * v * u);
  }
  return length;
}

function dab({ ice, height, width }: Pen, y: number, x: number, ink: number): void {
  if (y >= 0 && y < height && x >= 0 && x < width) ice[y * width + x] = ice[y * width + x]! + ink;
}

/** Mean 0, standard deviation 1, within 3 of these; all zeros where all values are equal. */
function standardised(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const spread = Math.sqrt(variance);
  return values.map((value) => (spread > 0 ? Math.min(3, Math.max(-3, (value - mean) / spread)) : 0));
}
