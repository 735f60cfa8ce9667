import { z } from 'zod';
import { openSimilarQueries } from '../extraction/similar-queries.ts';
import { defineClientDetector, highestScores, quantile } from './client-detector.ts';
import { featuresOf } from './features-of.ts';

const kept = z.strictObject({ radius: z.number().gt(0).max(2), level: z.number().gt(0) });

/** Own queries that are remembered. */
const OWN = 256;

/** The least excess that is an alarm. */
const LEAST = 10;

/** The share of calm queries that are similar to one of as many others as are remembered of a client; a fraction of what does not add up. */
const SIMILAR = 0.05;

/** Queries made from each other: see {@link openSimilarQueries}. */
export const similarClients = defineClientDetector<z.output<typeof kept>>({
  id: 'similar-queries',
  needs: 'features',
  kept,
  fit(clients, watched) {
    const features = featuresOf(watched, this.id);
    // One client after another, as if all were one: its memory is full, which that of a short client is not, and bursts stay bursts.
    const probe = openSimilarQueries({ features, radius: 1e-6, level: 1, own: OWN, askers: 1 });
    const distances = clients.flatMap((client) =>
      Array.from({ length: client.n }, (_, i) => probe.observe('all', client.features!, i).distance),
    );
    const full = distances.slice(Math.min(OWN, Math.floor(distances.length / 2)));
    const radius = Math.min(2, Math.max(1e-4, quantile(full.filter(Number.isFinite), SIMILAR)));
    const memory = { salt: 0, capacity: 16, askers: clients.length };
    const excess = highestScores(this.open({ radius, level: 1 }, watched, memory), clients);
    return { radius, level: Math.max(LEAST, 1.2 * quantile([...excess], 0.99)) };
  },
  open({ radius, level }, watched, { askers }, state) {
    const features = featuresOf(watched, 'similar-queries');
    const watch = openSimilarQueries({ features, radius, level, own: OWN, askers }, state);
    return {
      observe(asker, queries, i) {
        const { score, excess } = watch.observe(asker, queries.features!, i);
        return { score, seen: `excess ${excess.toFixed(1)}` };
      },
      snapshot: watch.snapshot,
    };
  },
});
