import { numberIn, wholeFrom } from '../option-checks.ts';
import { shuffled } from '../shuffled.ts';
import { defineExtraction, gathered, topOf } from './extraction.ts';

/** Options of Jacobian-based augmentation. */
export interface JacobianOptions {
  /** Samples to begin with. */
  readonly seeds: number;
  /** How far a new sample is from its parent in each element, as a share of the bounds' width. */
  readonly step: number;
  /** Samples in one request. */
  readonly batch: number;
}

/**
 * Jacobian-based data augmentation (Papernot et al. 2017, "Practical Black-Box Attacks against Machine Learning"): a few samples of the domain; then, in rounds, each
 * known one moved by `step` along the signs of the copy's gradient for the class that the victim gave it, by turns to and fro. The set doubles with each round.
 */
export const jacobian = defineExtraction<JacobianOptions>({
  id: 'jacobian',
  title: 'Jacobian-based augmentation',
  source: 'https://arxiv.org/abs/1602.02697',
  use: 'With very few samples of the domain: new ones are made along the copy’s gradient.',
  needsPool: true,
  defaults: { seeds: 150, step: 0.1, batch: 64 },
  check(options) {
    wholeFrom(options, 'seeds', 1);
    numberIn(options, 'step', 0);
    wholeFrom(options, 'batch', 1);
  },
  async *inquire({ pool, size, rng, bounds: [low, high], copyGradient, classes }, { seeds, step, batch }) {
    let points = gathered(pool, shuffled(pool.length / size, rng).slice(0, seeds), size);
    const known: Float32Array[] = [];
    const labels: number[] = [];
    for (let round = 0; ; round++) {
      for (let at = 0; at < points.length; at += batch * size) {
        const part = points.slice(at, at + batch * size);
        const answers = yield part;
        for (let i = 0; i < part.length / size; i++) {
          known.push(part.subarray(i * size, (i + 1) * size));
          labels.push(topOf(answers, i, classes));
        }
      }
      const parents = new Float32Array(known.length * size);
      for (const [i, point] of known.entries()) parents.set(point, i * size);
      const gradient = await copyGradient(parents, labels);
      const length = (round % 2 === 0 ? 1 : -1) * step * (high - low);
      points = parents.map((v, i) => Math.min(high, Math.max(low, v + length * Math.sign(gradient[i]!))));
    }
  },
});
