import type { Rng } from '../../core/random.ts';
import type { Corruption } from './corruption.ts';
import { parametersFor, type SeverityTable } from './severity.ts';

/** Standard deviation. */
const GAUSSIAN: SeverityTable = {
  cifar: [[0.04], [0.06], [0.08], [0.09], [0.1]],
  tinyImageNet: [[0.04], [0.08], [0.12], [0.15], [0.18]],
  imageNet: [[0.08], [0.12], [0.18], [0.26], [0.38]],
};

/** Photons that make full brightness. */
const SHOT: SeverityTable = {
  cifar: [[500], [250], [100], [75], [50]],
  tinyImageNet: [[250], [100], [50], [30], [15]],
  imageNet: [[60], [25], [12], [5], [3]],
};

/** Share of the values that are hit. */
const IMPULSE: SeverityTable = {
  cifar: [[0.01], [0.02], [0.03], [0.05], [0.07]],
  tinyImageNet: [[0.01], [0.02], [0.05], [0.08], [0.14]],
  imageNet: [[0.03], [0.06], [0.09], [0.17], [0.27]],
};

/** Normal noise on every value: a sensor in low light. */
export const gaussianNoise: Corruption = {
  id: 'gaussian-noise',
  title: 'Gaussian noise',
  family: 'noise',
  distort(picture, severity, rng) {
    const [sigma] = parametersFor(GAUSSIAN, picture, severity);
    return picture.values.map((value) => value + sigma! * rng.normal());
  },
};

/** Poisson noise on every value: light comes in photons. */
export const shotNoise: Corruption = {
  id: 'shot-noise',
  title: 'Shot noise',
  family: 'noise',
  distort(picture, severity, rng) {
    const [photons] = parametersFor(SHOT, picture, severity);
    return picture.values.map((value) => poisson(value * photons!, rng) / photons!);
  },
};

/** Values that are stuck at 0 or 1, half of them each: bit errors. Channels are hit one by one, as published. */
export const impulseNoise: Corruption = {
  id: 'impulse-noise',
  title: 'Impulse noise',
  family: 'noise',
  distort(picture, severity, rng) {
    const [share] = parametersFor(IMPULSE, picture, severity);
    return picture.values.map((value) => {
      const draw = rng.uniform();
      return draw >= share! ? value : draw < share! / 2 ? 0 : 1;
    });
  },
};

/**
 * A Poisson number of mean `mean` (0 to 700) by inversion: one draw, about `mean` additions. With 32 random bits what is
 * rarer than 2⁻³² never comes.
 */
function poisson(mean: number, rng: Rng): number {
  const draw = rng.uniform();
  let chance = Math.exp(-mean);
  let sum = chance;
  let count = 0;
  // `chance` reaches 0 where rounding keeps the sum below the draw.
  while (sum <= draw && chance > 0) {
    count++;
    chance *= mean / count;
    sum += chance;
  }
  return count;
}
