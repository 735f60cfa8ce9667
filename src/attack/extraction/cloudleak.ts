import { numberIn, wholeFrom } from '../option-checks.ts';
import { shuffled } from '../shuffled.ts';
import { defineExtraction, gathered } from './extraction.ts';

/** Options of queries near the boundary. */
export interface CloudleakOptions {
  /** Samples that are asked about as they are, to begin with. */
  readonly seeds: number;
  /** Steps towards the copy's boundary, and the length of each in every element, as a share of the bounds' width. */
  readonly steps: number;
  readonly step: number;
  /** Samples between two trainings of the copy. */
  readonly round: number;
  /** Samples in one request. */
  readonly batch: number;
}

/**
 * Adversarial examples of the copy as queries, in the manner of CloudLeak (Yu et al. 2020): they lie near its boundary, where the victim's answers teach most. Deviation: CloudLeak makes them by
 * matching features of a pretrained network; here it is a few signed gradient steps against the class that the copy gives.
 */
export const cloudleak = defineExtraction<CloudleakOptions>({
  id: 'cloudleak',
  title: 'Boundary queries (CloudLeak)',
  source:
    'https://www.ndss-symposium.org/ndss-paper/cloudleak-large-scale-deep-learning-models-stealing-through-adversarial-examples/',
  use: 'With samples of the domain and few queries: adversarial examples of the copy teach where its boundary is wrong.',
  needsPool: true,
  defaults: { seeds: 500, steps: 4, step: 0.05, round: 500, batch: 64 },
  check(options) {
    wholeFrom(options, 'seeds', 1);
    wholeFrom(options, 'steps', 1);
    wholeFrom(options, 'round', 1);
    wholeFrom(options, 'batch', 1);
    numberIn(options, 'step', 0);
  },
  async *inquire({ pool, size, rng, bounds: [low, high], copyGradient }, options) {
    const { seeds, steps, step, round, batch } = options;
    const order = shuffled(pool.length / size, rng);
    for (let at = 0; at < order.length; at += at === 0 ? seeds : round) {
      const points = gathered(pool, order.slice(at, at + (at === 0 ? seeds : round)), size);
      for (let turn = 0; at > 0 && turn < steps; turn++) {
        const gradient = await copyGradient(points);
        for (let i = 0; i < points.length; i++)
          points[i] = Math.min(
            high,
            Math.max(low, points[i]! - step * (high - low) * Math.sign(gradient[i]!)),
          );
      }
      for (let from = 0; from < points.length; from += batch * size)
        yield points.slice(from, from + batch * size);
    }
  },
});
