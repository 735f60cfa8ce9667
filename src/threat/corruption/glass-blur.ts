import { nearest } from './border.ts';
import type { Corruption } from './corruption.ts';
import { gaussianFilter } from './gaussian-filter.ts';
import { eachPlane } from './planes.ts';
import { parametersFor, type SeverityTable } from './severity.ts';

/** Standard deviation of the blur, how far pixels are mixed, and how often. */
const GLASS: SeverityTable = {
  cifar: [
    [0.05, 1, 1],
    [0.25, 1, 1],
    [0.4, 1, 1],
    [0.25, 1, 2],
    [0.4, 1, 2],
  ],
  tinyImageNet: [
    [0.1, 1, 1],
    [0.5, 1, 1],
    [0.6, 1, 2],
    [0.7, 2, 1],
    [0.9, 2, 2],
  ],
  imageNet: [
    [0.7, 1, 2],
    [0.9, 2, 1],
    [1, 2, 3],
    [1.1, 3, 2],
    [1.5, 4, 2],
  ],
};

const BLUR = { truncate: 4, border: nearest };

/**
 * Seen through frosted glass: blurred, each pixel replaced by a near one, and blurred again.
 *
 * The published program means to swap two pixels, but because of how NumPy assigns views of arrays it copies one over the other;
 * the published pictures were made so, and this does the same. Not done: the rounding to 8 bits in between.
 */
export const glassBlur: Corruption = {
  id: 'glass-blur',
  title: 'Glass blur',
  family: 'blur',
  distort(picture, severity, rng) {
    const { channels, height, width } = picture;
    const [sigma, reach, times] = parametersFor(GLASS, picture, severity);
    const far = Math.round(reach!);
    const blurred = (plane: Float32Array) => gaussianFilter(plane, height, width, sigma!, BLUR);
    const values = eachPlane(picture, blurred);
    const size = height * width;
    for (let time = 0; time < Math.round(times!); time++)
      for (let y = height - far; y > far; y--)
        for (let x = width - far; x > far; x--) {
          const dx = rng.integer(2 * far) - far;
          const dy = rng.integer(2 * far) - far;
          const from = (y + dy) * width + x + dx;
          for (let c = 0; c < channels; c++) values[c * size + y * width + x] = values[c * size + from]!;
        }
    return eachPlane({ ...picture, values }, blurred);
  },
};
