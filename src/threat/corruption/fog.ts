import type { Corruption } from './corruption.ts';
import { plasma } from './plasma.ts';
import { parametersFor, type SeverityTable } from './severity.ts';

/** Thickness, and how smooth the fog is. */
const FOG: SeverityTable = {
  cifar: [
    [0.2, 3],
    [0.5, 3],
    [0.75, 2.5],
    [1, 2],
    [1.5, 1.75],
  ],
  tinyImageNet: [
    [0.4, 3],
    [0.7, 3],
    [1, 2.5],
    [1.5, 2],
    [2, 1.75],
  ],
  imageNet: [
    [1.5, 2],
    [2, 2],
    [2.5, 1.7],
    [2.5, 1.5],
    [3, 1.4],
  ],
};

/** Fog: a plasma fractal is added, and the whole scaled back so that the brightest value stays where it can be. */
export const fog: Corruption = {
  id: 'fog',
  title: 'Fog',
  family: 'weather',
  distort(picture, severity, rng) {
    const { height, width, values } = picture;
    const [thickness, decay] = parametersFor(FOG, picture, severity);
    const haze = plasma(height, width, decay!, rng);
    const brightest = values.reduce((most, value) => Math.max(most, value), 0);
    const scale = brightest / (brightest + thickness!);
    return values.map((value, i) => scale * (value + thickness! * haze[i % haze.length]!));
  },
};
