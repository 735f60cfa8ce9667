import type { Corruption } from './corruption.ts';
import { eachPlane } from './planes.ts';
import { parametersFor, type SeverityTable } from './severity.ts';

/** What is added to the value (HSV) of each pixel. */
const BRIGHTNESS: SeverityTable = {
  cifar: [[0.05], [0.1], [0.15], [0.2], [0.3]],
  tinyImageNet: [[0.1], [0.2], [0.3], [0.4], [0.5]],
  imageNet: [[0.1], [0.2], [0.3], [0.4], [0.5]],
};

/** What is left of the contrast. */
const CONTRAST: SeverityTable = {
  cifar: [[0.75], [0.5], [0.4], [0.3], [0.15]],
  tinyImageNet: [[0.4], [0.3], [0.2], [0.1], [0.05]],
  imageNet: [[0.4], [0.3], [0.2], [0.1], [0.05]],
};

/**
 * Overexposed: the HSV value of every pixel (its largest channel) is raised, up to 1; hue and saturation stay. A pixel's channels
 * therefore all grow by one factor, and black becomes grey.
 */
export const brightness: Corruption = {
  id: 'brightness',
  title: 'Brightness',
  family: 'weather',
  distort(picture, severity) {
    const [more] = parametersFor(BRIGHTNESS, picture, severity);
    const { channels, values } = picture;
    const size = picture.height * picture.width;
    const out = new Float32Array(values.length);
    for (let i = 0; i < size; i++) {
      let largest = 0;
      for (let c = 0; c < channels; c++) largest = Math.max(largest, values[c * size + i]!);
      const raised = Math.min(1, largest + more!);
      for (let c = 0; c < channels; c++)
        out[c * size + i] = largest > 0 ? (values[c * size + i]! / largest) * raised : raised;
    }
    return out;
  },
};

/** Flat light: every channel is drawn towards its mean over the picture. */
export const contrast: Corruption = {
  id: 'contrast',
  title: 'Contrast',
  family: 'digital',
  distort(picture, severity) {
    const [left] = parametersFor(CONTRAST, picture, severity);
    return eachPlane(picture, (plane) => {
      const mean = plane.reduce((sum, value) => sum + value, 0) / plane.length;
      return plane.map((value) => mean + left! * (value - mean));
    });
  },
};
