import { clippedZoom } from './clipped-zoom.ts';
import type { Corruption } from './corruption.ts';
import { eachPlane } from './planes.ts';
import { parametersFor, type SeverityTable } from './severity.ts';

/** The largest enlargement and the step from 1 to it; what the published `arange` calls give, their rounding included. */
const ZOOM: SeverityTable = {
  cifar: [
    [1.06, 0.01],
    [1.11, 0.01],
    [1.15, 0.01],
    [1.2, 0.01],
    [1.25, 0.01],
  ],
  tinyImageNet: [
    [1.06, 0.01],
    [1.11, 0.01],
    [1.15, 0.01],
    [1.2, 0.01],
    [1.25, 0.01],
  ],
  imageNet: [
    [1.11, 0.01],
    [1.15, 0.01],
    [1.2, 0.02],
    [1.24, 0.02],
    [1.3, 0.03],
  ],
};

/** The camera moved towards the scene: the mean of the picture and of enlarged ones, from once to the largest. */
export const zoomBlur: Corruption = {
  id: 'zoom-blur',
  title: 'Zoom blur',
  family: 'blur',
  distort(picture, severity) {
    const { height, width } = picture;
    const [largest, step] = parametersFor(ZOOM, picture, severity);
    const steps = Math.round((largest! - 1) / step!);
    return eachPlane(picture, (plane) => {
      const sum = Float64Array.from(plane);
      for (let i = 0; i <= steps; i++) {
        // NumPy's `arange` steps by `(1 + step) − 1`; without its rounding a crop can come out one pixel off.
        const zoomed = clippedZoom(plane, height, width, 1 + i * (1 + step! - 1));
        for (let k = 0; k < sum.length; k++) sum[k] = sum[k]! + zoomed[k]!;
      }
      return sum.map((value) => value / (steps + 2));
    });
  },
};
