import { wholeFrom } from '../option-checks.ts';
import { defineExtraction } from './extraction.ts';

/** Options of random queries. */
export interface NoiseOptions {
  /** Samples in one request. */
  readonly batch: number;
}

/** Queries without any data: every element uniform within the bounds (Tramèr et al. 2016). Copies little of a deep network; what it costs to notice is the point. */
export const noiseQueries = defineExtraction<NoiseOptions>({
  id: 'noise',
  title: 'Random noise',
  source: 'https://arxiv.org/abs/1609.02943',
  use: 'Without any data of the domain; copies linear models, and deep ones hardly.',
  needsPool: false,
  defaults: { batch: 64 },
  check: (options) => wholeFrom(options, 'batch', 1),
  async *inquire({ size, rng, bounds: [low, high] }, { batch }) {
    for (;;) yield Float32Array.from({ length: batch * size }, () => low + (high - low) * rng.uniform());
  },
});
