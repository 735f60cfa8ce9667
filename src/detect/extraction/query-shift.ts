import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { recent } from '../queries/recent.ts';
import { stateFromBytes, stateToBytes } from '../state-bytes.ts';
import { type CalmReference, referenceReader } from './calm-reference.ts';

/** How {@link openQueryShift} judges. */
export interface QueryShiftSettings {
  readonly reference: CalmReference;
  /** Queries that are judged together, at most; a whole number from 32. */
  readonly window: number;
  /** Ratio at which there is an alarm; 1 is what a calm client has on average. */
  readonly level: number;
  /** Odd queries in the window at which there is an alarm. */
  readonly oddLevel: number;
  readonly askers: number;
}

/** What was found about one who asks. */
export interface Shift {
  /** How many times further the asker's queries are from calm ones than a calm client's; `undefined` between two judgements. */
  readonly ratio: number;
  /** The same for all askers together whose queries differ from calm ones in the same way, where there are some. */
  readonly linked: number;
  /** How many those are, the asker included. */
  readonly actors: number;
  /** Queries in the window that are odd by themselves. */
  readonly odd: number;
  /** The greatest of all as a share of its level; 1 is an alarm. */
  readonly score: number;
}

/** See {@link openQueryShift}. */
export interface QueryShift {
  /** One query: its features at `row`, and the model's scores. */
  observe(asker: string, features: Float32Array, scores: Float32Array, row: number): Shift | undefined;
  snapshot(): Uint8Array;
}

const KIND = 'query-shift/1';

/** Queries between two judgements of an asker, and the fewest that are judged alone or counted as part of an actor. */
const EVERY = 8;
const FEWEST = 32;
const FEWEST_LINKED = 8;

/** Askers are one actor where their shifts point the same way (cosine), and each is this much further from calm than usual. */
const ALIKE = 0.7;
const SUSPICIOUS = 2;

/**
 * A query whose numbers are nearer to one of the asker's last {@link LATEST} that counted than this share of what two calm queries are apart does not count: frames of a camera
 * and retries are one query, not a distribution.
 */
const SAME = 0.25;
const LATEST = 4;

interface Asker {
  /** The last queries that counted, `[4, width]`. */
  readonly latest: Float32Array;
  /** Sums over this half of the window and the one before. */
  now: Float64Array;
  before: Float64Array;
  n: number;
  nBefore: number;
  odd: number;
  oddBefore: number;
  asked: number;
  ratio: number;
}

const whole = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const kept = z
  .array(z.tuple([z.string(), whole, whole, whole, whole, whole, z.number().min(0)]))
  .max(2 ** 20);

/**
 * Finds clients whose queries are not distributed as calm ones are: those of another domain (Knockoff), synthetic ones, noise. Each query becomes a short vector of what the protected model
 * itself made of it (features by class, confidence, how far off it all is: {@link referenceReader}), centred and scaled on calm queries, so that only the mean over a client's queries has to be
 * watched: Hotelling's test of a mean shift, in a window of the client's own queries, whatever time they take. What calm clients differ among themselves is allowed for.
 *
 * Beside the mean, queries that are odd by themselves are counted, of which a calm client has few: strange queries among many calm ones hardly move a mean.
 *
 * Clients whose shifts point the same way are judged as one actor as well: the sums of a Sybil's keys add up exactly. The idea of testing distributions of
 * features follows VarDetect (Pal et al. 2021, "Stateful Detection of Model Extraction Attacks"), which takes a variational autoencoder and the maximum mean discrepancy where this takes the model's own features and a mean of
 * a fixed embedding. Blind to an attacker who asks what calm clients ask: against that only budgets help.
 * Memory: `2 · width` numbers an asker, at most `askers` of them. Cost: see {@link referenceReader}; a judgement every {@link EVERY} queries.
 * Errors: `option/invalid`; `result/invalid` for a state kept with other settings.
 */
export function openQueryShift(settings: QueryShiftSettings, state?: Uint8Array): QueryShift {
  const { reference, window, level, oddLevel } = settings;
  if (!(Number.isInteger(window) && window >= FEWEST && window <= 1e6))
    throw new GlacisError('option/invalid', `query-shift: expected a window from ${FEWEST}, got ${window}`);
  if (!(level > 0 && oddLevel > 0 && settings.askers >= 1))
    throw new GlacisError('option/invalid', 'query-shift: expected levels above 0 and at least one asker');
  const { width, read } = referenceReader(reference);
  const known = recent<string, Asker>(settings.askers);
  const suspicious = new Set<Asker>();
  const half = Math.ceil(window / 2);
  const row = new Float32Array(width);
  if (state) restore(state, width, known, suspicious);
  /** How much further than a calm client's: of the mean of `n` queries with this sum. */
  const ratioOf = (sum: Float64Array, n: number) => {
    let squared = 0;
    for (let i = 0; i < width; i++) squared += sum[i]! * sum[i]!;
    return squared / n / (width + n * reference.spread);
  };
  const sumOf = ({ now, before }: Asker) => now.map((s, i) => s + before[i]!);
  return {
    observe(name, features, scores, at) {
      const asker = known.at(name, () => fresh(width));
      const strangeness = read(features, scores, at, row);
      if (resembles(row, asker.latest, width)) return undefined;
      asker.latest.set(row, (asker.asked % LATEST) * width);
      for (let i = 0; i < width; i++) asker.now[i]! += row[i]!;
      asker.n++;
      asker.asked++;
      if (strangeness > reference.odd) asker.odd++;
      if (asker.asked % EVERY !== 0) return undefined;
      const sum = sumOf(asker);
      const n = asker.n + asker.nBefore;
      asker.ratio = ratioOf(sum, n);
      const isShifted = asker.ratio >= SUSPICIOUS && n >= FEWEST_LINKED;
      if (isShifted) suspicious.add(asker);
      else suspicious.delete(asker);
      const actor = isShifted ? actorOf(asker, sum, n, suspicious, sumOf, known) : { sum, n, actors: 1 };
      const odd = asker.odd + asker.oddBefore;
      if (asker.n >= half) {
        [asker.oddBefore, asker.odd] = [asker.odd, 0];
        [asker.before, asker.now] = [asker.now, asker.before.fill(0)];
        [asker.nBefore, asker.n] = [asker.n, 0];
      }
      const ratio = n >= FEWEST ? asker.ratio : 0;
      const linked = actor.actors > 1 && actor.n >= FEWEST ? ratioOf(actor.sum, actor.n) : 0;
      const score = Math.max(ratio / level, linked / level, odd / oddLevel);
      return { ratio, linked, actors: actor.actors, odd, score };
    },
    snapshot() {
      const list = [...known.entries()];
      const sums = new Float64Array(2 * width * list.length);
      const latest = new Float32Array(LATEST * width * list.length);
      for (const [i, [, { now, before, latest: own }]] of list.entries()) {
        latest.set(own, LATEST * width * i);
        sums.set(now, 2 * i * width);
        sums.set(before, (2 * i + 1) * width);
      }
      return stateToBytes({
        kind: KIND,
        plain: list.map(([name, { n, nBefore, odd, oddBefore, asked, ratio }]) => [
          name,
          n,
          nBefore,
          odd,
          oddBefore,
          asked,
          ratio,
        ]),
        arrays: { sums, latest },
      });
    },
  };
}

const fresh = (width: number): Asker => ({
  latest: new Float32Array(LATEST * width).fill(Number.POSITIVE_INFINITY),
  now: new Float64Array(width),
  before: new Float64Array(width),
  n: 0,
  nBefore: 0,
  odd: 0,
  oddBefore: 0,
  asked: 0,
  ratio: 0,
});

/** Whether a row is much like one of the latest. */
function resembles(row: Float32Array, latest: Float32Array, width: number): boolean {
  const within = SAME * 2 * width;
  for (let from = 0; from < latest.length; from += width) {
    let total = 0;
    for (let i = 0; i < width && total < within; i++) {
      const gap = row[i]! - latest[from + i]!;
      total += gap * gap;
    }
    if (total < within) return true;
  }
  return false;
}

/** The asker together with the suspicious ones whose shift points the same way. */
function actorOf(
  asker: Asker,
  sum: Float64Array,
  n: number,
  suspicious: Set<Asker>,
  sumOf: (asker: Asker) => Float64Array,
  known: { readonly size: () => number },
): { readonly sum: Float64Array; readonly n: number; readonly actors: number } {
  const all = sum.slice();
  let queries = n;
  let actors = 1;
  const length = Math.sqrt(dot(sum, sum));
  // Those who were forgotten elsewhere are forgotten here, too: the oldest first.
  while (suspicious.size > known.size()) suspicious.delete(suspicious.values().next().value as Asker);
  for (const other of suspicious) {
    const m = other.n + other.nBefore;
    if (other === asker || m < FEWEST_LINKED) continue;
    const theirs = sumOf(other);
    if (dot(sum, theirs) < ALIKE * length * Math.sqrt(dot(theirs, theirs))) continue;
    for (let i = 0; i < all.length; i++) all[i]! += theirs[i]!;
    queries += m;
    actors++;
  }
  return { sum: all, n: queries, actors };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function restore(
  state: Uint8Array,
  width: number,
  known: { at(name: string, make: () => Asker): Asker },
  suspicious: Set<Asker>,
): void {
  const { plain, arrays } = stateFromBytes(KIND, state);
  const read = kept.safeParse(plain);
  const { sums, latest } = arrays;
  const n = read.data?.length ?? -1;
  if (
    !read.success ||
    !(sums instanceof Float64Array && sums.length === 2 * width * n) ||
    !(latest instanceof Float32Array && latest.length === LATEST * width * n)
  )
    throw new GlacisError('result/invalid', `state of ${KIND}: expected what was kept, got something else`);
  for (const [i, [name, count, nBefore, odd, oddBefore, asked, ratio]] of read.data.entries()) {
    const now = sums.slice(2 * i * width, (2 * i + 1) * width);
    const before = sums.slice((2 * i + 1) * width, (2 * i + 2) * width);
    const own = latest.slice(LATEST * width * i, LATEST * width * (i + 1));
    const asker = known.at(name, () => ({
      latest: own,
      now,
      before,
      n: count,
      nBefore,
      odd,
      oddBefore,
      asked,
      ratio,
    }));
    if (ratio >= SUSPICIOUS) suspicious.add(asker);
  }
}
