import { randomFrom } from '../../core/random.ts';
import { shuffle } from '../../core/shuffle.ts';
import type { Observations } from '../detector.ts';
import type { ClientParts } from './calibrate-clients.ts';
import type { ClientDetector } from './client-detector.ts';
import { nearDuplicateClients } from './near-duplicates.ts';
import { pradaClients } from './prada.ts';
import { shiftClients } from './query-shift.ts';
import { similarClients } from './similar-queries.ts';

/** Detectors of clients that are calibrated where they are named: they help too little to be on otherwise. */
export const NAMED_CLIENT_DETECTORS: readonly ClientDetector<unknown>[] = [erased(pradaClients)];

/** Every other detector of clients, A to Z. */
export const CLIENT_DETECTORS: readonly ClientDetector<unknown>[] = [
  erased(nearDuplicateClients),
  erased(shiftClients),
  erased(similarClients),
];

/** Clients that are made of calm samples where there are enough, and how few and many queries each then has. */
const CLIENTS = 200;
const FEWEST = 20;
const MOST = 200;

/**
 * Clients made of calm samples, as a data set does not say who sent what: each is a run of samples in the data's own order, so that bursts (frames of a camera, repeats)
 * stay bursts. A quarter to learn from, half for thresholds, a quarter held out; which, `seed` draws. A threshold for a rate of 1 % needs 99 clients for it: 4,000 samples
 * at least, of 20 queries each. How many queries a client has is how long a calm client may go on before its false alarms exceed the rate.
 */
export function clientParts(calm: Observations, seed: number): ClientParts {
  const queries = Math.min(MOST, Math.max(FEWEST, Math.floor(calm.n / CLIENTS)));
  const count = Math.floor(calm.n / queries);
  const rng = randomFrom(seed, 'client-parts');
  const order = shuffle(
    Array.from({ length: count }, (_, i) => i),
    rng,
  );
  const clients = order.map((client) => run(calm, client * queries, queries));
  const [a, b] = [Math.floor(count / 4), Math.floor(count / 4) + Math.ceil(count / 2)];
  return { fit: clients.slice(0, a), threshold: clients.slice(a, b), heldOut: clients.slice(b) };
}

/** Samples `[from, from + count)`: views, not copies. */
function run({ n, x, scores, features }: Observations, from: number, count: number): Observations {
  const part = (values: Float32Array) => {
    const width = values.length / n;
    return values.subarray(from * width, (from + count) * width);
  };
  return { n: count, x: part(x), scores: part(scores), features: features && part(features) };
}

/** A detector among others: what it learns goes back to itself alone. */
function erased<Fit>(detector: ClientDetector<Fit>): ClientDetector<unknown> {
  return detector as unknown as ClientDetector<unknown>;
}
