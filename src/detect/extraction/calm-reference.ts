import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { randomFrom } from '../../core/random.ts';
import { dot } from '../features/dot.ts';
import { fitGaussians, whiten } from '../features/gaussian.ts';
import { openSignedSums } from '../features/signed-sums.ts';
import { likeliest } from '../likeliest.ts';
import { packedFloats } from '../packed-floats.ts';

/** Features are shortened to so many numbers, by random signs; and so many waves look at what their means do not show. */
const SHORT = 24;
const WAVES = 16;

/** Beside them: how large the features are, how sure the model is, and of how much. */
const SCALARS = 3;

/** Numbers of the first stage, and of the second. */
const FIRST = SHORT + SCALARS;
const SECOND = FIRST + 1 + WAVES;

/** What calm queries look like: data that JSON can hold. */
export const calmReferenceSchema = z.strictObject({
  features: z
    .number()
    .int()
    .min(1)
    .max(2 ** 24),
  classes: z
    .number()
    .int()
    .min(1)
    .max(2 ** 16),
  /** First stage: by class. */
  whitener: packedFloats(FIRST * FIRST),
  centres: packedFloats(),
  /** Second stage: all alike. */
  again: packedFloats(SECOND * SECOND),
  centre: packedFloats(SECOND),
  /** The squared length of its numbers beyond which a query is odd. */
  odd: z.number().gt(0),
  /** By how much calm clients differ from each other: the squared shift of their means. */
  spread: z.number().min(0),
});

/** See {@link calmReferenceSchema}. */
export type CalmReference = z.output<typeof calmReferenceSchema>;

/** Writes a query's numbers, `[width]`: of calm queries, of mean 0 and covariance 1. */
export interface ReferenceReader {
  readonly width: number;
  /** Gives their squared length as well. */
  read(features: Float32Array, scores: Float32Array, row: number, out: Float32Array): number;
}

/** The share of calm queries that are odd. */
const ODD = 0.005;

/** Samples and what the model made of them. */
export interface CalmQueries {
  readonly n: number;
  /** `[n, features]`. */
  readonly features: Float32Array;
  /** `[n, classes]`. */
  readonly scores: Float32Array;
}

/**
 * Learns what calm queries look like. Half of them make the first stage, half the second. `spread` starts at 0: what calm clients differ by is measured on clients, see
 * {@link spreadOf}. Errors: `data/mismatch` for too few, or features that do not vary.
 */
export function fitReference({ n, features, scores }: CalmQueries): CalmReference {
  const classes = scores.length / n;
  const width = features.length / n;
  const half = Math.floor(n / 2);
  if (!(half >= 2 * SECOND && Number.isInteger(classes) && Number.isInteger(width)))
    throw new GlacisError('data/mismatch', `calm queries: expected at least ${4 * SECOND}, got ${n}`);
  const group = likeliest(scores, n, classes);
  const raw = new Float32Array(n * FIRST);
  const write = firstStage(width, classes);
  for (let i = 0; i < n; i++) write(features, scores, i, raw.subarray(i * FIRST, (i + 1) * FIRST));
  const first = fitGaussians(raw.subarray(0, half * FIRST), FIRST, group.subarray(0, half), classes);
  const rows = new Float32Array((n - half) * SECOND);
  const second = secondStage(first.whitener, first.centres);
  for (let i = half; i < n; i++)
    second(
      raw.subarray(i * FIRST, (i + 1) * FIRST),
      group[i]!,
      rows.subarray((i - half) * SECOND, (i - half + 1) * SECOND),
    );
  const all = fitGaussians(rows, SECOND, new Uint8Array(n - half), 1);
  const plain = {
    features: width,
    classes,
    whitener: first.whitener,
    centres: first.centres,
    again: all.whitener,
    centre: all.centres,
    odd: 1,
    spread: 0,
  };
  const { read } = referenceReader(plain);
  const out = new Float32Array(SECOND);
  const lengths = Float64Array.from({ length: n - half }, (_, i) =>
    read(features, scores, half + i, out),
  ).sort();
  return { ...plain, odd: lengths[Math.floor((1 - ODD) * lengths.length)]! };
}

/**
 * Reads queries by a reference. Cost: `24 · features` additions and about 1,500 products.
 * Errors: `option/invalid` where the reference is none.
 */
export function referenceReader(reference: CalmReference): ReferenceReader {
  const { features: width, classes, whitener, centres, again, centre } = reference;
  if (
    whitener.length !== FIRST * FIRST ||
    centres.length !== classes * FIRST ||
    again.length !== SECOND * SECOND ||
    centre.length !== SECOND
  )
    throw new GlacisError('option/invalid', 'reference: expected arrays of its own sizes, got others');
  const write = firstStage(width, classes);
  const second = secondStage(whitener, centres);
  const raw = new Float32Array(FIRST);
  const row = new Float32Array(SECOND);
  return {
    width: SECOND,
    read(features, scores, at, out) {
      write(features, scores, at, raw);
      second(raw, topOf(scores, at, classes), row);
      whiten(again, SECOND, row, out);
      // What is no number is as strange as can be, and must not wipe out the sum.
      let squared = 0;
      for (let i = 0; i < SECOND; i++) {
        const value = out[i]! - centre[i]!;
        out[i] = Number.isNaN(value) ? MOST : Math.min(MOST, Math.max(-MOST, value));
        squared += out[i]! * out[i]!;
      }
      return squared;
    },
  };
}

/** Furthest that one query counts in one direction, in deviations of calm ones: a single odd query is no distribution. */
const MOST = 6;

/** `[24 signed sums of the features, log size, log Σ exp of the scores, lead of the first class]`. */
function firstStage(width: number, classes: number) {
  const shorten = openSignedSums(randomFrom(0, 'calm-reference', width), width, SHORT);
  return (features: Float32Array, scores: Float32Array, row: number, out: Float32Array): void => {
    shorten(features, row * width, out);
    let squared = 0;
    for (let i = row * width; i < (row + 1) * width; i++) squared += features[i]! * features[i]!;
    const from = row * classes;
    let [top, next] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let k = from; k < from + classes; k++) {
      const score = scores[k]!;
      if (score > top) [next, top] = [top, score];
      else if (score > next) next = score;
    }
    let sum = 0;
    for (let k = from; k < from + classes; k++) sum += Math.exp(scores[k]! - top);
    out[SHORT] = Math.log1p(squared);
    out[SHORT + 1] = top + Math.log(sum);
    out[SHORT + 2] = classes > 1 ? Math.log1p(top - next) : 0;
  };
}

/** The first stage by class, how far it is from its class altogether, and waves over it. */
function secondStage(whitener: Float32Array, centres: Float32Array) {
  const rng = randomFrom(0, 'calm-reference', 'waves');
  // Frequencies for unit normals in so many directions (the median heuristic).
  const waves = Float32Array.from({ length: WAVES * FIRST }, () => rng.normal() / Math.sqrt(2 * FIRST));
  const phases = Float32Array.from({ length: WAVES }, () => 2 * Math.PI * rng.uniform());
  return (raw: Float32Array, label: number, out: Float32Array): void => {
    whiten(whitener, FIRST, raw, out);
    let squared = 0;
    for (let i = 0; i < FIRST; i++) {
      out[i]! -= centres[label * FIRST + i]!;
      squared += out[i]! * out[i]!;
    }
    out[FIRST] = Math.log1p(squared);
    for (let w = 0; w < WAVES; w++)
      out[FIRST + 1 + w] = Math.cos(dot(waves, w * FIRST, out, 0, FIRST) + phases[w]!);
  };
}

/**
 * The squared shift of calm clients' means that chance does not explain: the median over clients, each given as its queries. Errors: `data/mismatch` without clients.
 */
export function spreadOf(reference: CalmReference, clients: readonly CalmQueries[]): number {
  const { width, read } = referenceReader(reference);
  const row = new Float32Array(width);
  const shifts = clients.map(({ n, features, scores }) => {
    const sum = new Float64Array(width);
    for (let i = 0; i < n; i++) {
      read(features, scores, i, row);
      for (let k = 0; k < width; k++) sum[k]! += row[k]!;
    }
    return (sum.reduce((total, s) => total + s * s, 0) / n - width) / n;
  });
  if (shifts.length === 0)
    throw new GlacisError('data/mismatch', 'calm clients: expected at least one, got none');
  shifts.sort((a, b) => a - b);
  return Math.max(0, shifts[Math.floor(shifts.length / 2)]!);
}

function topOf(scores: Float32Array, row: number, classes: number): number {
  const from = row * classes;
  let top = 0;
  for (let k = 1; k < classes; k++) if (scores[from + k]! > scores[from + top]!) top = k;
  return top;
}
