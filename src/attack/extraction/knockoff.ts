import { wholeFrom } from '../option-checks.ts';
import { shuffled } from '../shuffled.ts';
import { defineExtraction, gathered } from './extraction.ts';

/** Options of Knockoff Nets. */
export interface KnockoffOptions {
  /** Samples in one request. */
  readonly batch: number;
}

/**
 * Knockoff Nets with random queries (Orekondy, Schiele & Fritz 2019): samples of the attacker's own, which need have nothing to do with the victim's data, each once, in
 * random order. The paper's adaptive choice among the pool's classes gains little over it and needs labels.
 */
export const knockoff = defineExtraction<KnockoffOptions>({
  id: 'knockoff',
  title: 'Knockoff Nets (random)',
  source: 'https://arxiv.org/abs/1812.02766',
  use: 'The usual theft: whatever natural samples the attacker has, and the scores for them.',
  needsPool: true,
  defaults: { batch: 64 },
  check: (options) => wholeFrom(options, 'batch', 1),
  async *inquire({ pool, size, rng }, { batch }) {
    const order = shuffled(pool.length / size, rng);
    for (let at = 0; at < order.length; at += batch) yield gathered(pool, order.slice(at, at + batch), size);
  },
});
