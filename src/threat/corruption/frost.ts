import type { Corruption } from './corruption.ts';
import { crystals } from './frost-crystals.ts';
import { parametersFor, type SeverityTable } from './severity.ts';

/** What is left of the picture, how much frost is added, and how large the frost's picture is shown. */
const FROST: SeverityTable = {
  cifar: [
    [1, 0.2, 0.2],
    [1, 0.3, 0.2],
    [0.9, 0.4, 0.2],
    [0.85, 0.4, 0.2],
    [0.75, 0.45, 0.2],
  ],
  tinyImageNet: [
    [1, 0.3, 0.3],
    [0.9, 0.4, 0.3],
    [0.8, 0.45, 0.3],
    [0.75, 0.5, 0.3],
    [0.7, 0.55, 0.3],
  ],
  imageNet: [
    [1, 0.4, 1],
    [0.8, 0.6, 1],
    [0.7, 0.7, 1],
    [0.65, 0.7, 1],
    [0.6, 0.75, 1],
  ],
};

/** Blue is stronger than red in frost: what red, green and blue differ from its brightness. */
const TINT = [-0.05, 0, 0.04];
/** Brightness of the five pictures that the published program chooses from: 0.45 to 0.80. */
const DARKEST = 0.45;
const BRIGHTEST = 0.8;

/**
 * Ice crystals on the lens. The published program lays crops of five photographs over the picture; here the frost is drawn, new for
 * every picture ({@link crystals}), with their brightness and contrast (the brighter, the flatter). Figures are therefore near the
 * published ones, not equal to them.
 */
export const frost: Corruption = {
  id: 'frost',
  title: 'Frost',
  family: 'weather',
  distort(picture, severity, rng) {
    const { channels, height, width, values } = picture;
    const [own, added, scale] = parametersFor(FROST, picture, severity);
    const brightness = DARKEST + (BRIGHTEST - DARKEST) * rng.uniform();
    const contrast = 0.135 - 0.186 * (brightness - DARKEST);
    const ice = crystals(height, width, scale!, rng);
    return values.map((value, i) => {
      const tint = channels === 3 ? TINT[Math.floor(i / ice.length)]! : 0;
      const light = brightness + tint + contrast * ice[i % ice.length]!;
      return own! * value + added! * Math.min(1, Math.max(0, light));
    });
  },
};
