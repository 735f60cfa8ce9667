import { nearest } from './border.ts';
import type { Corruption } from './corruption.ts';
import { eachPlane } from './planes.ts';
import { parametersFor, type SeverityTable } from './severity.ts';

/** Radius of the kernel and its standard deviation, in pixels. */
const MOTION: SeverityTable = {
  cifar: [
    [6, 1],
    [6, 1.5],
    [6, 2],
    [8, 2],
    [9, 2.5],
  ],
  tinyImageNet: [
    [10, 1],
    [10, 1.5],
    [10, 2],
    [10, 2.5],
    [12, 3],
  ],
  imageNet: [
    [10, 3],
    [15, 5],
    [15, 8],
    [15, 12],
    [20, 15],
  ],
};

/** The camera moved: smeared along a direction within 45° of the horizontal. */
export const motionBlur: Corruption = {
  id: 'motion-blur',
  title: 'Motion blur',
  family: 'blur',
  distort(picture, severity, rng) {
    const [radius, sigma] = parametersFor(MOTION, picture, severity);
    const angle = -45 + 90 * rng.uniform();
    const { height, width } = picture;
    return eachPlane(picture, (plane) => smear(plane, height, width, radius!, sigma!, angle));
  },
};

/**
 * A plane smeared to one side along `angle` (degrees), as ImageMagick's `MotionBlurImage` does it: half a Gaussian of
 * `2 · ⌈radius⌉ + 1` taps on the pixels nearest to a line, the edge repeated outside.
 */
export function smear(
  plane: ArrayLike<number>,
  height: number,
  width: number,
  radius: number,
  sigma: number,
  angle: number,
): Float64Array {
  const length = 2 * Math.ceil(radius) + 1;
  const kernel = Array.from({ length }, (_, i) => Math.exp(-(i * i) / (2 * sigma * sigma)));
  const total = kernel.reduce((sum, value) => sum + value, 0);
  const radians = (angle / 180) * Math.PI;
  const out = new Float64Array(height * width);
  for (const [i, value] of kernel.entries()) {
    const dx = Math.ceil(i * Math.cos(radians) - 0.5);
    const dy = Math.ceil(i * Math.sin(radians) - 0.5);
    const columns = Int32Array.from({ length: width }, (_, x) => nearest(x + dx, width));
    for (let y = 0, to = 0; y < height; y++) {
      const row = nearest(y + dy, height) * width;
      for (let x = 0; x < width; x++, to++) out[to] = out[to]! + (value / total) * plane[row + columns[x]!]!;
    }
  }
  return out;
}
