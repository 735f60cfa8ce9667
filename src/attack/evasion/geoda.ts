import { distance } from '../../threat/norm.ts';
import type { Attack } from '../attack.ts';
import { steepest, widthOf } from '../ball-geometry.ts';
import { clearFixed } from '../free-elements.ts';
import { noiseFrom } from '../noise.ts';
import { numberIn, wholeFrom } from '../option-checks.ts';
import { pointsAtOnce } from '../points-at-once.ts';
import type { Talk } from '../question.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';
import { bisect, bisectToClean, furthest } from './boundary-search.ts';
import { type CosineBasis, cosineBasis } from './cosine-basis.ts';
import { adversarialStart } from './starting-point.ts';

/** Options of GeoDA. */
export interface GeodaOptions {
  /** Frequencies of the noise along each side of a picture; 0 takes a third of the smaller side. Other samples get plain noise. */
  readonly subDim: number;
  /** Deviation of the noise, as a share of the bounds' width. */
  readonly sigma: number;
  /** How the questions are shared out: each estimate takes `lambda^(−2/3)` times as many as the one before. */
  readonly lambda: number;
  /** Draws of noise for the starting point. */
  readonly initSize: number;
  /** Most queries for one sample. */
  readonly queries: number;
}

/** Questions that are set aside in each round for finding the boundary again. */
const SEARCH = 20;
/** Questions of the first estimate: at most so many. */
const FIRST = 80;

/**
 * GeoDA (Rahmati et al. 2020): estimates the normal of the boundary from decisions on low-frequency noise around a boundary point, goes
 * from the clean sample along the normal (l2) or its signs (linf) to the boundary, and repeats with more questions. The
 * normals of all rounds are added up, as in the authors' program.
 *
 * Unlike there each round counts by its questions and its signs less their mean, and the boundary is searched to the noise's size
 * and not to 0.1 (measured on digits: half the distance at as many questions). The paper's l1 form needs another search and is left out.
 * Cost: `queries` answers, shared out in advance.
 */
export const geoda: Attack<GeodaOptions> = defineSampleAttack({
  id: 'geoda',
  title: 'GeoDA',
  needs: 'labels',
  seeks: 'minimum',
  norms: ['linf', 'l2'],
  source: 'https://arxiv.org/abs/2003.06468',
  use: 'Decisions alone and few queries: good early on where the boundary is flat and low frequencies matter.',
  defaults: { subDim: 0, sigma: 0.0002, lambda: 0.6, initSize: 100, queries: 4000 },
  check(options) {
    wholeFrom(options, 'subDim', 0);
    numberIn(options, 'sigma', 0);
    numberIn(options, 'lambda', 0, 1);
    wholeFrom(options, 'initSize', 1);
    wholeFrom(options, 'queries', 1);
  },
  cost: ({ queries }) => ({ gradients: 0, evaluations: queries }),
  *talk(victim, options) {
    const { x0, size, ball, image } = victim;
    const width = widthOf(ball.bounds);
    const norm = ball.norm === 'linf' ? 'linf' : 'l2';
    const x = yield* adversarialStart(victim, options.initSize);
    if (!x) return;
    yield* bisectToClean(victim, 'l2', x, (options.sigma * width) / distance('l2', x, x0, 0, size));
    const normal = new Float64Array(size);
    const addNormal = normalAdder(
      victim,
      image && lowest(image, options.subDim),
      options.sigma * width,
      options.queries,
      normal,
    );
    const direction = new Float32Array(size);
    const planned = shares(victim.left(), options.lambda);
    for (let round = 0; ; round++) {
      const count = Math.min(planned[Math.min(round, planned.length - 1)]!, victim.left() - SEARCH);
      if (!(count >= 1)) return;
      yield* addNormal(x, count);
      direction.set(normal);
      steepest(norm, direction, direction);
      yield* toBoundary(victim, norm, direction, options.sigma * width, x);
    }
  },
});

function lowest(image: NonNullable<Victim['image']>, subDim: number): CosineBasis {
  const { height, width } = image;
  const side = subDim || Math.max(1, Math.round(Math.min(height, width) / 3));
  return cosineBasis(image, Math.min(side, height), Math.min(side, width));
}

/** Questions of each estimate out of `queries`: the fewest rounds of which the first takes at most {@link FIRST}. */
function shares(queries: number, lambda: number): readonly number[] {
  for (let rounds = 1; ; rounds++) {
    const weights = Array.from({ length: rounds }, (_, i) => lambda ** ((-2 * i) / 3));
    const total = weights.reduce((sum, w) => sum + w, 0);
    const left = Math.max(0, queries - rounds * SEARCH);
    if (left / total <= FIRST || lambda === 1)
      return weights.map((w) => Math.floor((left * w) / total)).filter((n) => n > 0);
  }
}

/** Adds `count` noises to the normal, each with its decision's sign less the mean of all signs, which lowers the variance. */
function normalAdder(
  victim: Victim,
  basis: CosineBasis | undefined,
  sigma: number,
  queries: number,
  normal: Float64Array,
) {
  const { size, ball, rng, answers } = victim;
  const noise = noiseFrom(rng('normal'));
  const most = Math.min(queries, pointsAtOnce(size));
  const points = new Float32Array(most * size);
  const coefficients = new Float32Array(basis?.size ?? 0);
  return function* (x: Float32Array, count: number): Talk {
    for (let done = 0; done < count; done += most) {
      const here = Math.min(most, count - done);
      for (let p = 0; p < here; p++) {
        const drawn = points.subarray(p * size, (p + 1) * size);
        if (basis) {
          noise.normals(coefficients);
          basis.synthesise(coefficients, drawn);
        } else noise.normals(drawn);
        clearFixed(ball, drawn);
        for (let i = 0; i < size; i++) drawn[i] = x[i]! + sigma * drawn[i]!;
      }
      const { reached } = yield* answers(points, here, 'probe');
      const share = reached.filter(Boolean).length / here;
      const mean = share === 0 || share === 1 ? 0 : 2 * share - 1;
      for (let p = 0; p < here; p++) {
        const weight = (reached[p] ? 1 : -1) - mean;
        for (let i = 0; i < size; i++) normal[i]! += weight * (points[p * size + i]! - x[i]!);
      }
    }
  };
}

/** Goes from the clean sample along `direction` to where the goal is reached, and writes that point over `x`, which stays where it is nowhere. */
function* toBoundary(
  victim: Victim,
  norm: 'linf' | 'l2',
  direction: Float32Array,
  tolerance: number,
  x: Float32Array,
): Talk {
  const { x0, size, ball, answers } = victim;
  const [low, high] = ball.bounds;
  const at = (far: number, out: Float32Array) => {
    for (let i = 0; i < size; i++) out[i] = Math.min(high, Math.max(low, x0[i]! + far * direction[i]!));
  };
  const most = furthest(ball.bounds) * (norm === 'l2' ? Math.sqrt(size) : 1);
  let near = 0;
  let far = Math.min(most, distance(norm, x, x0, 0, size));
  const point = new Float32Array(size);
  for (;;) {
    at(far, point);
    const { reached } = yield* answers(point);
    if (reached[0]) break;
    if (far >= most) return;
    near = far;
    far = Math.min(most, 1.5 * far);
  }
  yield* bisect(victim, at, point, near, far, tolerance);
  x.set(point);
}
