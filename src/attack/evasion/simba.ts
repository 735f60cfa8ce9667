import type { Rng } from '../../core/random.ts';
import { shuffle } from '../../core/shuffle.ts';
import type { Attack } from '../attack.ts';
import { projectOnto, widthOf } from '../ball-geometry.ts';
import { freeElements, restoreFixed } from '../free-elements.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import { defineSampleAttack } from '../sample-attack.ts';
import { type CosineBasis, cosineBasis } from './cosine-basis.ts';

/** Options of SimBA. */
export interface SimbaOptions {
  /** Directions: single elements, or cosines of a picture from the lowest frequencies on. Samples that are no pictures get elements. */
  readonly basis: 'pixel' | 'dct';
  /** Length of a step, as a share of the bounds' width. */
  readonly stepSize: number;
  /** Side of the block of lowest frequencies that comes first. */
  readonly freqDims: number;
  /** Most queries for one sample. */
  readonly queries: number;
}

/**
 * SimBA (Guo et al. 2019): takes a direction of an orthonormal basis, steps forth along it, or else back, and keeps what lowers the
 * goal's margin. Each direction comes once before any comes twice. Points are projected onto the ball, which the paper's l2 form does not do.
 * Cost: 1 or 2 answers a step, up to `queries`, one after another.
 */
export const simba: Attack<SimbaOptions> = defineSampleAttack({
  id: 'simba',
  title: 'SimBA',
  needs: 'scores',
  seeks: 'ball',
  norms: ['l2', 'linf'],
  source: 'https://arxiv.org/abs/1905.07121',
  use: 'Simple and cheap with scores in l2; cosines where pictures are natural ones, single elements elsewhere.',
  defaults: { basis: 'dct', stepSize: 0.2, freqDims: 4, queries: 10000 },
  check(options) {
    choiceOf(options, 'basis', ['pixel', 'dct']);
    numberIn(options, 'stepSize', 0);
    wholeFrom(options, 'freqDims', 1);
    wholeFrom(options, 'queries', 1);
  },
  cost: ({ queries }) => ({ gradients: 0, evaluations: queries }),
  *talk({ x0, size, ball, image, rng, answers }, { basis, stepSize, freqDims }) {
    const length = stepSize * widthOf(ball.bounds);
    const cosines = basis === 'dct' && image ? cosineBasis(image, image.height, image.width) : undefined;
    const x = x0.slice();
    const point = new Float32Array(size);
    // An answer that is not a number is worse than any other.
    const worth = (value: number) => (Number.isNaN(value) ? Number.POSITIVE_INFINITY : value);
    const start = yield* answers(x);
    let margin = worth(start.margins[0]!);
    for (let pass = 0; ; pass++) {
      const order = cosines
        ? byFrequency(cosines, freqDims, rng(pass))
        : shuffle([...freeElements(ball, size)], rng(pass));
      for (const direction of order) {
        for (const step of [-length, length]) {
          point.set(x);
          if (cosines) cosines.add(direction, step, point);
          else point[direction]! += step;
          restoreFixed(ball, x0, point);
          projectOnto(ball, point, x0);
          const { margins } = yield* answers(point);
          if (!(worth(margins[0]!) < margin)) continue;
          margin = worth(margins[0]!);
          x.set(point);
          break;
        }
      }
    }
  },
});

/** Coefficients by shells of growing frequency, at random within a shell; the block of the lowest `first` comes at once. */
function byFrequency({ rows, columns, size }: CosineBasis, first: number, rng: Rng): number[] {
  const shells: number[][] = [];
  for (let c = 0; c < size; c++) {
    const frequency = Math.max(Math.floor(c / columns) % rows, c % columns);
    const shell = Math.max(0, frequency - first + 1);
    shells[shell] ??= [];
    shells[shell].push(c);
  }
  return shells.flatMap((shell) => shuffle(shell, rng));
}
