import { clippedZoom } from './clipped-zoom.ts';
import type { Corruption } from './corruption.ts';
import { smear } from './motion-blur.ts';
import { greyOf } from './planes.ts';
import { parametersFor, type SeverityTable } from './severity.ts';

/**
 * Mean and standard deviation of the noise that flakes grow from, its enlargement, the threshold above which it is snow,
 * radius and standard deviation of the smear of a falling flake, and what is left of the picture's own colours.
 */
const SNOW: SeverityTable = {
  cifar: [
    [0.1, 0.2, 1, 0.6, 8, 3, 0.95],
    [0.1, 0.2, 1, 0.5, 10, 4, 0.9],
    [0.15, 0.3, 1.75, 0.55, 10, 4, 0.9],
    [0.25, 0.3, 2.25, 0.6, 12, 6, 0.85],
    [0.3, 0.3, 1.25, 0.65, 14, 12, 0.8],
  ],
  tinyImageNet: [
    [0.1, 0.2, 1, 0.6, 8, 3, 0.8],
    [0.1, 0.2, 1, 0.5, 10, 4, 0.8],
    [0.15, 0.3, 1.75, 0.55, 10, 4, 0.7],
    [0.25, 0.3, 2.25, 0.6, 12, 6, 0.65],
    [0.3, 0.3, 1.25, 0.65, 14, 12, 0.6],
  ],
  imageNet: [
    [0.1, 0.3, 3, 0.5, 10, 4, 0.8],
    [0.2, 0.3, 2, 0.5, 12, 4, 0.7],
    [0.55, 0.3, 4, 0.9, 12, 8, 0.7],
    [0.55, 0.3, 4.5, 0.85, 12, 8, 0.65],
    [0.55, 0.3, 2.5, 0.85, 12, 12, 0.55],
  ],
};

/** Snow that falls within 45° of the vertical, and a paler scene behind it. */
export const snow: Corruption = {
  id: 'snow',
  title: 'Snow',
  family: 'weather',
  distort(picture, severity, rng) {
    const { height, width, values } = picture;
    const [mean, spread, zoom, threshold, radius, sigma, own] = parametersFor(SNOW, picture, severity);
    const size = height * width;
    const noise = Float64Array.from({ length: size }, () => mean! + spread! * rng.normal());
    const flakes = clippedZoom(noise, height, width, zoom!).map((value) =>
      value < threshold! ? 0 : Math.min(1, value),
    );
    const fallen = smear(flakes, height, width, radius!, sigma!, -135 + 90 * rng.uniform());
    const grey = greyOf(picture);
    return values.map((value, i) => {
      const at = i % size;
      const pale = own! * value + (1 - own!) * Math.max(value, 1.5 * grey[at]! + 0.5);
      // The same flakes once more, turned by half a turn.
      return pale + fallen[at]! + fallen[size - 1 - at]!;
    });
  },
};
