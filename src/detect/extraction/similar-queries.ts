import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { randomFrom } from '../../core/random.ts';
import { dot } from '../features/dot.ts';
import { openSignedSums } from '../features/signed-sums.ts';
import { recent } from '../queries/recent.ts';
import { stateFromBytes, stateToBytes } from '../state-bytes.ts';

/** How {@link openSimilarQueries} looks at clients. */
export interface SimilarSettings {
  /** Length of a row of features. */
  readonly features: number;
  /** Queries whose encodings are nearer are similar; encodings have length 1, so from 0 to 2. */
  readonly radius: number;
  /** Similar queries in excess of {@link USUAL} of all at which there is an alarm. */
  readonly level: number;
  /** Own queries of a client that are remembered. */
  readonly own: number;
  readonly askers: number;
}

/** What was seen in a query. */
export interface Similarity {
  /** To the nearest of the client's own earlier queries; infinite where it has none that count. */
  readonly distance: number;
  /** Similar queries in excess of what is usual. */
  readonly excess: number;
  /** The excess as a share of the level; 1 is an alarm. */
  readonly score: number;
}

/** See {@link openSimilarQueries}. */
export interface SimilarQueries {
  /** One query: its features at `row`. */
  observe(asker: string, features: Float32Array, row: number): Similarity;
  snapshot(): Uint8Array;
}

const KIND = 'similar-queries/1';

/** Length of an encoding. */
const WIDTH = 32;

/** A query that is similar to one of the client's last so many is part of a burst: frames of a camera, a file saved again. It neither counts nor is remembered. */
const BURST = 16;

/** The share of a calm client's queries that may be similar to an earlier one without adding up. */
const USUAL = 0.35;

interface Asker {
  readonly rows: Float32Array;
  added: number;
  excess: number;
}

const whole = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const kept = z.array(z.tuple([z.string(), whole, z.number().min(0)])).max(2 ** 20);

/**
 * Finds clients whose queries are made from each other, as those of Jacobian-based augmentation are: too many are similar to an earlier one of the same client. After
 * SEAT (Zhang, Chen and Wagner 2021, "SEAT: Similarity Encoder by Adversarial Training for Detecting Model Extraction Attack Queries"). Deviations: the encoder is the protected model's last layer, scaled to
 * length 1 and shortened to {@link WIDTH} random projections, where SEAT trains one; what counts is an excess over the usual share, where SEAT counts for ever; bursts do not count.
 *
 * Blind to clients who ask about natural samples (Knockoff), and to keys that share out parents and children. Memory: `128 · own` bytes an asker.
 * Cost: `32 · features` and at most `32 · own` products. Errors: `option/invalid`; `result/invalid` for a state kept with other settings.
 */
export function openSimilarQueries(settings: SimilarSettings, state?: Uint8Array): SimilarQueries {
  const { features: width, radius, level, own, askers } = settings;
  if (!(width >= 1 && radius > 0 && radius <= 2 && level > 0 && askers >= 1))
    throw new GlacisError(
      'option/invalid',
      'similar queries: expected features, a radius up to 2, a level above 0 and at least one asker',
    );
  if (!(Number.isInteger(own) && own > BURST && own <= 2 ** 16))
    throw new GlacisError(
      'option/invalid',
      `similar queries: expected more than ${BURST} own queries, got ${own}`,
    );
  const known = recent<string, Asker>(askers);
  const shorten = openSignedSums(randomFrom(0, 'similar-queries', width), width, WIDTH);
  const fresh = (): Asker => ({ rows: new Float32Array(own * WIDTH), added: 0, excess: 0 });
  if (state) restore(state, own, known);
  const row = new Float32Array(WIDTH);
  return {
    observe(name, features, at) {
      const asker = known.at(name, fresh);
      const length = Math.sqrt(dot(features, at * width, features, at * width, width));
      shorten(features, at * width, row, length);
      // No direction, no comparison: and no place among the others.
      if (!(length > 0 && length < Number.POSITIVE_INFINITY))
        return { distance: Number.POSITIVE_INFINITY, excess: asker.excess, score: asker.excess / level };
      const { rows, added } = asker;
      const held = Math.min(added, own);
      const within = radius * radius;
      for (let back = 1; back <= Math.min(BURST, held); back++)
        if (squaredDistance(row, rows, ((added - back) % own) * WIDTH, within) < within)
          return { distance: Number.POSITIVE_INFINITY, excess: asker.excess, score: asker.excess / level };
      let least = Number.POSITIVE_INFINITY;
      for (let back = BURST + 1; back <= held; back++) {
        const squared = squaredDistance(row, rows, ((added - back) % own) * WIDTH, least);
        if (squared < least) least = squared;
      }
      asker.excess = Math.max(0, asker.excess + (least < within ? 1 : 0) - USUAL);
      rows.set(row, (added % own) * WIDTH);
      asker.added++;
      return { distance: Math.sqrt(least), excess: asker.excess, score: asker.excess / level };
    },
    snapshot() {
      const list = [...known.entries()];
      const rows = new Float32Array(list.length * own * WIDTH);
      for (const [i, [, asker]] of list.entries()) rows.set(asker.rows, i * own * WIDTH);
      const plain = list.map(([name, { added, excess }]) => [name, added, excess]);
      return stateToBytes({ kind: KIND, plain, arrays: { rows } });
    },
  };
}

/** The squared distance of `row` to the one at `from`, or something that is no less than `most`: it stops at a quarter where that is certain. */
function squaredDistance(row: Float32Array, rows: Float32Array, from: number, most: number): number {
  let total = 0;
  for (let quarter = 0; quarter < WIDTH; quarter += WIDTH / 4) {
    for (let i = quarter; i < quarter + WIDTH / 4; i++) {
      const gap = row[i]! - rows[from + i]!;
      total += gap * gap;
    }
    if (total >= most) return total;
  }
  return total;
}

function restore(
  state: Uint8Array,
  own: number,
  known: { at(name: string, make: () => Asker): Asker },
): void {
  const { plain, arrays } = stateFromBytes(KIND, state);
  const read = kept.safeParse(plain);
  const { rows } = arrays;
  if (!read.success || !(rows instanceof Float32Array && rows.length === read.data.length * own * WIDTH))
    throw new GlacisError('result/invalid', `state of ${KIND}: expected what was kept, got something else`);
  for (const [i, [name, added, excess]] of read.data.entries())
    known.at(name, () => ({ rows: rows.slice(i * own * WIDTH, (i + 1) * own * WIDTH), added, excess }));
}
