import { reflect101 } from './border.ts';
import type { Corruption } from './corruption.ts';
import { eachPlane } from './planes.ts';
import { parametersFor, type SeverityTable } from './severity.ts';

/** Radius of the disk in pixels, and standard deviation of the Gaussian that softens its rim. */
const DISK: SeverityTable = {
  cifar: [
    [0.3, 0.4],
    [0.4, 0.5],
    [0.5, 0.6],
    [1, 0.2],
    [1.5, 0.1],
  ],
  tinyImageNet: [
    [0.5, 0.6],
    [1, 0.1],
    [1.5, 0.1],
    [2.5, 0.01],
    [3, 0.1],
  ],
  imageNet: [
    [3, 0.1],
    [4, 0.5],
    [6, 0.5],
    [8, 0.5],
    [10, 0.5],
  ],
};

/** Beyond this radius the rim is softened with 5 taps instead of 3. */
const LARGE = 8;

/** Out of focus: every point becomes a disk. Cost: about `π · radius²` multiplications a value. */
export const defocusBlur: Corruption = {
  id: 'defocus-blur',
  title: 'Defocus blur',
  family: 'blur',
  distort(picture, severity) {
    const [radius, softness] = parametersFor(DISK, picture, severity);
    const { side, taps } = softDisk(radius!, softness!);
    const { height, width } = picture;
    return eachPlane(picture, (plane) => correlate(plane, height, width, taps, side));
  },
};

/** A disk with a soft rim, `side × side` weights that sum to 1. */
function softDisk(radius: number, softness: number): { readonly side: number; readonly taps: Float64Array } {
  const reach = Math.max(LARGE, Math.ceil(radius));
  const side = 2 * reach + 1;
  const disk = Float64Array.from({ length: side * side }, (_, i) =>
    ((i % side) - reach) ** 2 + (Math.floor(i / side) - reach) ** 2 <= radius ** 2 ? 1 : 0,
  );
  const area = disk.reduce((sum, inside) => sum + inside, 0);
  const half = radius <= LARGE ? 1 : 2;
  const bell = Array.from({ length: 2 * half + 1 }, (_, i) => Math.exp(-0.5 * ((i - half) / softness) ** 2));
  const total = bell.reduce((sum, value) => sum + value, 0);
  const soft = bell.flatMap((a) => bell.map((b) => (a / total) * (b / total)));
  const taps = correlate(disk, side, side, Float64Array.from(soft), 2 * half + 1);
  return { side, taps: taps.map((value) => value / area) };
}

/** Correlation with `side × side` taps, mirrored at the border (OpenCV's `filter2D`). */
function correlate(
  plane: ArrayLike<number>,
  height: number,
  width: number,
  taps: Float64Array,
  side: number,
): Float64Array {
  const reach = (side - 1) / 2;
  const wide = width + 2 * reach;
  const padded = new Float64Array((height + 2 * reach) * wide);
  for (let y = 0, to = 0; y < height + 2 * reach; y++) {
    const row = reflect101(y - reach, height) * width;
    for (let x = 0; x < wide; x++, to++) padded[to] = plane[row + reflect101(x - reach, width)]!;
  }
  const out = new Float64Array(height * width);
  for (const [k, tap] of taps.entries()) {
    if (tap === 0) continue;
    const shift = Math.floor(k / side) * wide + (k % side);
    for (let y = 0, to = 0; y < height; y++)
      for (let x = 0, from = shift + y * wide; x < width; x++, from++, to++)
        out[to] = out[to]! + tap * padded[from]!;
  }
  return out;
}
