import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { type State, stateFromBytes, stateToBytes, takeUp } from '../state-bytes.ts';
import { type Asker, askersOf, type OwnQueries } from './askers.ts';
import { type Cells, cellsOf } from './cells.ts';
import { type Clusters, clustersOf, type Evidence } from './clusters.ts';
import { type Found, queryMemory } from './query-memory.ts';
import { sampleDigest } from './sample-digest.ts';

/** How near queries must be, and how many of them are too many. */
export interface NearDuplicateSettings {
  readonly sampleDims: readonly number[];
  readonly classes: number;
  /** One number an element, above 0, that elements are divided by first: for tables. */
  readonly scale?: ArrayLike<number> | undefined;
  /** Queries whose cells are nearer than this count for the cluster. */
  readonly radius: number;
  /** Queries whose cells are nearer than this count for the one who asks. */
  readonly reach: number;
  /** Evidence at which there is an alarm. */
  readonly levels: Levels;
  /** Keys the hashes: secret, a whole number up to 2⁵³. A memory that is taken up brings its own. */
  readonly salt: number;
  /** Queries of everybody that are remembered: a power of two. */
  readonly capacity: number;
  /** Askers that are remembered. */
  readonly askers: number;
}

/** What is measured, each on its own scale. */
export type Levels = Readonly<Record<Measure, number>>;

/**
 * `size`: near-duplicates in the cluster; `flips`: how often a near-duplicate got another class than the query that it resembles; `descents`: how often one was less
 * like the cluster's first class than all before; `share`: near-duplicates of one asker in excess of every other query, whatever they are near to.
 */
export const MEASURES = ['size', 'flips', 'descents', 'share'] as const;

/** One of {@link MEASURES}. */
export type Measure = (typeof MEASURES)[number];

/** What was seen in a query. */
export interface Sighting {
  readonly kind: 'new' | 'near' | 'repeat';
  /** To the nearest earlier query; infinite where there was none within reach. */
  readonly distance: number;
  readonly evidence: Levels;
  /** The greatest share of a level that the evidence reached; 1 is an alarm. */
  readonly score: number;
  /** What that evidence was. */
  readonly measure: Measure;
  /** Whether the asker has added more than is spared to the cluster, so that what has gathered there counts for it. */
  readonly isImplicated: boolean;
}

/** See {@link openNearDuplicates}. */
export interface NearDuplicates {
  /** One query: sample at `offset` of `x`, and the model's `scores` for it at `row`. */
  observe(asker: string, x: Float32Array, offset: number, scores: Float32Array, row: number): Sighting;
  /** Everything remembered; {@link openNearDuplicates} takes it up again. */
  snapshot(): Uint8Array;
}

const KIND = 'near-duplicates/1';

/** What every other query of an asker may be near to an earlier one of anybody, before the excess counts as `share`. */
const USUAL_SHARE = 0.5;

const NOTHING: Levels = { size: 0, flips: 0, descents: 0, share: 0 };

/**
 * Finds attacks that ask about many small changes of one sample, over all principals at once: a query near an earlier one (cells within `radius`) joins
 * its cluster, and what gathers in a cluster is the evidence. Squares of distances weigh: a query at the radius counts nothing, an all but equal one counts 1.
 *
 * An exact repeat is no evidence (it is answered as before and so teaches nothing) and is not remembered again. What counts is what each
 * asker adds beyond {@link SPARED} to the same cluster, so that many may send one popular picture; one attack split over several keys adds up. Evidence fades with the asker's own further queries, not with
 * time: waiting does not help, and mixing in other queries costs more than thirty for each.
 *
 * After Blacklight (Li et al. 2022) and the stateful detection of Chen et al. 2020; hashes as in {@link saltedHashes}. Weak where an attack's queries are further apart than calm ones: large random
 * changes to each query, few queries an image, more keys than queries / {@link SPARED}. Memory is bounded by `capacity` and `askers`. Cost: about three passes over the sample and 10 µs.
 * Errors: `option/invalid`; `result/invalid` for a state that was not kept with the same settings.
 */
export function openNearDuplicates(settings: NearDuplicateSettings, state?: Uint8Array): NearDuplicates {
  const { sampleDims, classes, radius, reach, levels, capacity } = settings;
  checkSettings(settings);
  const before = state && stateFromBytes(KIND, state);
  const { salt } = before ? readPlain(before) : settings;
  const size = elementCount(sampleDims);
  const cells: Cells = cellsOf(sampleDims, settings.scale);
  const memory = queryMemory(cells.count, 2 * radius, capacity, salt);
  const askers = askersOf(settings.askers, cells.count);
  const clusters = clustersOf(Math.min(capacity, 4096));
  if (before) restore(before, memory.arrays, askers, clusters);
  const own = new Float32Array(cells.count);
  return {
    observe(name, x, offset, scores, row) {
      const asker = askers.at(name);
      asker.asked++;
      cells.read(x, offset, own);
      const query = { cells: own, digest: sampleDigest(x, offset, size, salt) };
      const label = topOf(scores, row, classes);
      const found = nearer(memory.nearest(query, reach), asker, own, reach);
      if (found?.repeat)
        return sightingOf(
          'repeat',
          0,
          { ...NOTHING, share: asker.share },
          levels,
          found.cluster,
          clusters,
          asker,
        );
      const weight = found ? 1 - (found.distance / reach) ** 2 : 0;
      asker.share = Math.max(0, asker.share + weight - USUAL_SHARE);
      const isNear = found !== undefined && found.distance < radius;
      const cluster = isNear ? found.cluster : memory.next();
      const what = { cluster, label };
      const evidence = isNear
        ? clusters.join(cluster, asker, {
            weight: 1 - (found.distance / radius) ** 2,
            flipped: label !== found.label,
            label: found.label,
            margin: (of) => marginOf(scores, row, classes, of),
          })
        : NOTHING;
      memory.add(query, what);
      asker.own.add(own, what);
      const all = { ...evidence, share: asker.share };
      return sightingOf(
        isNear ? 'near' : 'new',
        found?.distance ?? Number.POSITIVE_INFINITY,
        all,
        levels,
        cluster,
        clusters,
        asker,
      );
    },
    snapshot() {
      const rings = askers.keep();
      return stateToBytes({
        kind: KIND,
        plain: { salt, askers: rings.plain, clusters: clusters.keep() },
        arrays: { ...memory.arrays, ...rings.arrays },
      });
    },
  };
}

/** Evidence against its levels. What a cluster has gathered is held against those who gathered it alone. */
function sightingOf(
  kind: Sighting['kind'],
  distance: number,
  evidence: Evidence & { readonly share: number },
  levels: Levels,
  cluster: number,
  clusters: Clusters,
  asker: Asker,
): Sighting {
  const isImplicated = kind === 'near' && clusters.isImplicated(cluster, asker);
  let score = evidence.share / levels.share;
  let measure: Measure = 'share';
  if (isImplicated)
    for (const each of ['size', 'flips', 'descents'] as const)
      if (evidence[each] / levels[each] > score) {
        score = evidence[each] / levels[each];
        measure = each;
      }
  return { kind, distance, evidence, score, measure, isImplicated };
}

/** The nearer of what everybody's memory and the asker's own last queries hold. */
function nearer(
  found: Found | undefined,
  asker: Asker & { readonly own: OwnQueries },
  own: Float32Array,
  reach: number,
): Found | undefined {
  if (found?.repeat) return found;
  return asker.own.nearest(own, found?.distance ?? reach) ?? found;
}

const kept = z.strictObject({
  salt: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  askers: z.unknown(),
  clusters: z.unknown(),
});

function readPlain({ plain }: State): z.output<typeof kept> {
  const read = kept.safeParse(plain);
  if (read.success) return read.data;
  throw new GlacisError('result/invalid', `state of ${KIND}: expected what was kept, got something else`);
}

function restore(
  state: State,
  memory: Readonly<Record<string, Float32Array | Uint32Array | Int32Array>>,
  askers: ReturnType<typeof askersOf>,
  clusters: Clusters,
): void {
  for (const [name, target] of Object.entries(memory)) takeUp(KIND, state.arrays, name, target);
  const plain = readPlain(state);
  askers.restore(plain.askers, state.arrays);
  clusters.restore(plain.clusters);
}

function topOf(scores: Float32Array, row: number, classes: number): number {
  const from = row * classes;
  let top = 0;
  for (let k = 1; k < classes; k++) if (scores[from + k]! > scores[from + top]!) top = k;
  return top;
}

/** How much likelier `label` is than the likeliest other class, in the scores' own unit. */
function marginOf(scores: Float32Array, row: number, classes: number, label: number): number {
  const from = row * classes;
  let other = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < classes; k++) if (k !== label && scores[from + k]! > other) other = scores[from + k]!;
  return scores[from + label]! - other;
}

function checkSettings({
  sampleDims,
  classes,
  scale,
  radius,
  reach,
  levels,
  salt,
}: NearDuplicateSettings): void {
  const fail = (text: string) => new GlacisError('option/invalid', `near-duplicates: expected ${text}`);
  const size = elementCount(sampleDims);
  if (!(size >= 1 && Number.isSafeInteger(size))) throw fail('samples of at least one element');
  if (!(Number.isInteger(classes) && classes >= 1)) throw fail(`classes, got ${classes}`);
  if (
    scale &&
    (scale.length !== size || Array.from(scale).some((s) => !(s > 0 && s < Number.POSITIVE_INFINITY)))
  )
    throw fail(`a scale of ${size} numbers above 0`);
  if (!(radius > 0 && reach >= radius && reach < Number.POSITIVE_INFINITY))
    throw fail(`a radius above 0 and a reach no smaller, got ${radius} and ${reach}`);
  if (MEASURES.some((measure) => !(levels[measure] > 0))) throw fail('levels above 0');
  if (!(Number.isSafeInteger(salt) && salt >= 0)) throw fail('a salt from 0 to 2^53 - 1');
}
