import { GlacisError } from '../../core/error.ts';
import type { Rng } from '../../core/random.ts';
import { type ImageDims, pixelAt } from '../../threat/image-dims.ts';
import type { Attack } from '../attack.ts';
import { numberIn, wholeFrom } from '../option-checks.ts';
import { pointsAtOnce } from '../points-at-once.ts';
import type { Talk } from '../question.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';

/** Options of the one-pixel attack. */
export interface OnePixelOptions {
  /** Pixels to change; 0 takes as many as eps allows. */
  readonly pixels: number;
  /** Generations after the first. */
  readonly steps: number;
  /** Candidates of a generation. */
  readonly population: number;
  /** Weight of the difference between two candidates: drawn anew for each generation between `leastWeight` and `mostWeight`. */
  readonly leastWeight: number;
  readonly mostWeight: number;
  /** Most queries for one sample. */
  readonly queries: number;
}

/**
 * The one-pixel attack (Su, Vargas & Sakurai 2019): differential evolution over places and colours of a few pixels, without crossover; each
 * generation is one question. Mutations start from the best candidate, as in the programs of ART and torchattacks (`best1bin`), which lower
 * the true class's probability where this lowers the goal's margin.
 *
 * Distances in l0 count elements: a pixel of three channels takes 3 of eps, so `eps = 3 · pixels` for colours. Samples that are no pictures
 * are a row of pixels of one channel. Errors: `option/invalid` where eps is less than one pixel, or less than `pixels` need, or bounds are open.
 * Cost: `population · (steps + 1)` answers, up to `queries`.
 */
export const onePixel: Attack<OnePixelOptions> = defineSampleAttack({
  id: 'one-pixel',
  title: 'One-pixel attack',
  needs: 'scores',
  seeks: 'ball',
  norms: ['l0'],
  source: 'https://arxiv.org/abs/1710.08864',
  use: 'One or a few pixels of any value, with scores alone; eps counts elements, so 3 for one pixel in colour.',
  defaults: { pixels: 0, steps: 100, population: 400, leastWeight: 0.5, mostWeight: 1, queries: 40400 },
  check(options) {
    wholeFrom(options, 'pixels', 0);
    wholeFrom(options, 'steps', 0);
    wholeFrom(options, 'population', 5);
    numberIn(options, 'leastWeight', 0, 2, 'or equal');
    numberIn(options, 'mostWeight', options.leastWeight, 2, 'or equal');
    wholeFrom(options, 'queries', 1);
  },
  cost: ({ steps, population, queries }) => ({
    gradients: 0,
    evaluations: Math.min(queries, population * (steps + 1)),
  }),
  *talk(victim, { pixels: wanted, steps, population, leastWeight, mostWeight }) {
    const { size, ball } = victim;
    const image: ImageDims = victim.image ?? { channels: 1, height: 1, width: size, layout: 'chw' };
    const [low, high] = ball.bounds;
    if (!Number.isFinite(high - low))
      throw new GlacisError('option/invalid', `bounds: expected two finite numbers, got ${low} and ${high}`);
    const pixels = pixelsWithin(ball.eps, image, wanted);
    if (pixels === 0) return;
    const rng = victim.rng('evolution');
    const genes = pixels * (2 + image.channels);
    const parents = Float64Array.from({ length: population * genes }, () => rng.uniform());
    const worth = new Float64Array(population);
    let best = yield* judge(victim, image, parents, genes, worth);
    const children = new Float64Array(population * genes);
    const childWorth = new Float64Array(population);
    for (let step = 0; step < steps; step++) {
      const weight = leastWeight + (mostWeight - leastWeight) * rng.uniform();
      for (let child = 0; child < population; child++) {
        const [one, other] = twoOthers(population, child, rng);
        for (let g = 0; g < genes; g++) {
          const v =
            parents[best * genes + g]! + weight * (parents[one * genes + g]! - parents[other * genes + g]!);
          // What leaves the range is drawn anew.
          children[child * genes + g] = v >= 0 && v <= 1 ? v : rng.uniform();
        }
      }
      yield* judge(victim, image, children, genes, childWorth);
      for (let child = 0; child < population; child++) {
        if (!(childWorth[child]! < worth[child]!)) continue;
        worth[child] = childWorth[child]!;
        parents.set(children.subarray(child * genes, (child + 1) * genes), child * genes);
        if (worth[child]! < worth[best]!) best = child;
      }
    }
  },
});

function pixelsWithin(eps: number, { channels }: ImageDims, wanted: number): number {
  const most = Math.floor(eps / channels);
  const needed = Math.max(1, wanted) * channels;
  if (eps > 0 && eps < needed)
    throw new GlacisError(
      'option/invalid',
      `one-pixel: expected eps of at least ${needed} (pixels × channels = ${Math.max(1, wanted)} × ${channels}), got ${eps}`,
    );
  return wanted === 0 ? most : Math.min(wanted, most);
}

/** Two candidates, neither of them `not` nor each other. */
function twoOthers(population: number, not: number, rng: Rng): readonly [number, number] {
  let one = rng.integer(population - 1);
  if (one >= not) one++;
  let other = rng.integer(population - 2);
  for (const taken of [Math.min(not, one), Math.max(not, one)]) if (other >= taken) other++;
  return [one, other];
}

/** Writes each candidate's margin into `worth` (not a number counts as infinite) and gives the number of the best. */
function* judge(
  { x0, size, ball, answers }: Victim,
  image: ImageDims,
  candidates: Float64Array,
  genes: number,
  worth: Float64Array,
): Talk<number> {
  const { channels, height, width } = image;
  const [low, high] = ball.bounds;
  const most = Math.min(worth.length, pointsAtOnce(size));
  const points = new Float32Array(most * size);
  let best = 0;
  for (let done = 0; done < worth.length; done += most) {
    const here = Math.min(most, worth.length - done);
    for (let p = 0; p < here; p++) {
      const point = points.subarray(p * size, (p + 1) * size);
      point.set(x0);
      const first = (done + p) * genes;
      for (let g = first; g < first + genes; g += 2 + channels) {
        const y = Math.min(height - 1, Math.floor(candidates[g]! * height));
        const x = Math.min(width - 1, Math.floor(candidates[g + 1]! * width));
        for (let c = 0; c < channels; c++)
          point[pixelAt(image, c, y, x)] = low + candidates[g + 2 + c]! * (high - low);
      }
    }
    const { margins } = yield* answers(points, here);
    for (let p = 0; p < here; p++) {
      const margin = margins[p]!;
      worth[done + p] = Number.isNaN(margin) ? Number.POSITIVE_INFINITY : margin;
      if (worth[done + p]! < worth[best]!) best = done + p;
    }
  }
  return best;
}
