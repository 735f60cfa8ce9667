import { z } from 'zod';
import type { Observations } from '../detector.ts';
import {
  type CalmQueries,
  calmReferenceSchema,
  fitReference,
  spreadOf,
} from '../extraction/calm-reference.ts';
import { openQueryShift } from '../extraction/query-shift.ts';
import { defineClientDetector, highestScores, quantile } from './client-detector.ts';
import { featuresOf } from './features-of.ts';

const kept = z.strictObject({
  reference: calmReferenceSchema,
  level: z.number().gt(0),
  oddLevel: z.number().gt(0),
});

/** Queries of a client that are judged together. */
const WINDOW = 256;

/** The least ratio, and the fewest odd queries in a window, that are an alarm. */
const LEAST = 2;
const LEAST_ODD = 8;

/** A level that nothing reaches. */
const NEVER = Number.POSITIVE_INFINITY;

/** Queries that are not distributed as calm ones are: see {@link openQueryShift}. */
export const shiftClients = defineClientDetector<z.output<typeof kept>>({
  id: 'query-shift',
  needs: 'features',
  kept,
  fit(clients, watched) {
    featuresOf(watched, this.id);
    const plain = fitReference(joined(clients));
    const reference = { ...plain, spread: spreadOf(plain, clients.map(asQueries)) };
    const memory = { salt: 0, capacity: 16, askers: clients.length };
    const highest = (level: number, oddLevel: number) =>
      1.2 *
      quantile([...highestScores(this.open({ reference, level, oddLevel }, watched, memory), clients)], 0.99);
    const longest = clients.reduce((most, { n }) => Math.max(most, n), 0);
    return {
      reference,
      level: Math.max(LEAST, highest(1, NEVER)),
      // Counts grow with the window, which short clients have not filled.
      oddLevel: Math.max(LEAST_ODD, (highest(NEVER, 1) * WINDOW) / Math.min(WINDOW, longest)),
    };
  },
  open({ reference, level, oddLevel }, watched, { askers }, state) {
    featuresOf(watched, 'query-shift');
    const watch = openQueryShift({ reference, window: WINDOW, level, oddLevel, askers }, state);
    return {
      observe(asker, queries, i) {
        const shift = watch.observe(asker, queries.features!, queries.scores, i);
        if (!shift) return { score: 0, seen: 'not judged' };
        const { score, ratio, linked, actors, odd } = shift;
        const others = actors > 1 ? `, ${linked.toFixed(1)} of ${actors} together` : '';
        return { score, seen: `ratio ${ratio.toFixed(1)}${others}, ${odd} odd` };
      },
      snapshot: watch.snapshot,
    };
  },
});

const asQueries = ({ n, features, scores }: Observations): CalmQueries => ({
  n,
  features: features!,
  scores,
});

/** All clients' queries, one client after another, so that both halves hold whole clients. */
function joined(clients: readonly Observations[]): CalmQueries {
  const n = clients.reduce((sum, client) => sum + client.n, 0);
  const width = clients[0]?.features ? clients[0].features.length / clients[0].n : 0;
  const classes = clients[0] ? clients[0].scores.length / clients[0].n : 0;
  const features = new Float32Array(n * width);
  const scores = new Float32Array(n * classes);
  let at = 0;
  for (const client of clients) {
    features.set(client.features!, at * width);
    scores.set(client.scores, at * classes);
    at += client.n;
  }
  return { n, features, scores };
}
