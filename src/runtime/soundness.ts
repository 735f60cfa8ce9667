import { GlacisError } from '../core/error.ts';
import { f32 } from './array.ts';
import type { Predictor } from './predictor.ts';
import type { WhiteBoxTarget } from './target.ts';

/** Agreement of the attacked graph with the deployed file: 1e-3 of the largest output of a sample. */
const TOLERANCE = 1e-3;

/** What the first look at a model showed. */
export interface FirstLook {
  /** The deployed file gives something else each time. */
  readonly randomised: boolean;
  /** All outputs lie in [0, 1]. */
  readonly unit: boolean;
}

/**
 * Runs the deployed file and the graph that attacks see on the same few samples.
 * Errors: `run/failed` when they disagree (the graph would attack another model), `data/not-finite` when the model
 * answers with NaN.
 */
export async function compareWithDeployed(
  { target, predictor }: { readonly target: WhiteBoxTarget; readonly predictor: Predictor },
  x: Float32Array,
  n: number,
  signal: AbortSignal | undefined,
): Promise<FirstLook> {
  const k = target.classes;
  const deployed = await predictor.predict(x, n, signal);
  const nan = deployed.findIndex((v) => Number.isNaN(v));
  if (nan >= 0)
    throw new GlacisError(
      'data/not-finite',
      `model: expected numbers, got NaN for sample ${Math.floor(nan / (deployed.length / n))}; is the input in the range that the model takes (--range)?`,
    );
  if (deployed.length !== n * k)
    throw new GlacisError(
      'model/unsupported-task',
      `model: expected ${k} outputs for each of ${n} samples, got ${deployed.length} in all`,
    );
  const unit = deployed.every((v) => v >= 0 && v <= 1);
  const again = await predictor.predict(x, n, signal);
  if (worstGap(deployed, again, k) > TOLERANCE) return { randomised: true, unit };
  const traced = activated(await logitsOf(target, x, n), k, target.found.stripped);
  const gap = worstGap(deployed, traced, k);
  if (!(gap <= TOLERANCE))
    throw new GlacisError(
      'run/failed',
      `model: expected the graph for the attack to answer like the file, got answers that differ by ${gap.toPrecision(2)} of the largest output; please report this with the model's operators (glacis inspect)`,
    );
  return { randomised: false, unit };
}

async function logitsOf(target: WhiteBoxTarget, x: Float32Array, n: number): Promise<Float32Array> {
  const size = x.length / n;
  const rows = target.fixedBatch ?? n;
  const session = await target.compile('logits', rows, ({ logits }) => ({ logits }));
  const all = new Float32Array(n * target.classes);
  for (let at = 0; at < n; at += rows) {
    const count = Math.min(rows, n - at);
    const feed = new Float32Array(rows * size);
    feed.set(x.subarray(at * size, (at + count) * size));
    const out = await session.run({ [target.input]: f32(feed, [rows, ...target.sampleDims]) });
    const logits = out.logits!.data as Float32Array;
    all.set(logits.subarray(0, count * target.classes), at * target.classes);
  }
  return all;
}

/** What the stripped activation makes of logits `[n, k]`. */
export function activated(
  logits: Float32Array,
  k: number,
  stripped: WhiteBoxTarget['found']['stripped'],
): Float32Array {
  if (!stripped) return logits;
  if (stripped === 'Sigmoid') return logits.map((z) => 1 / (1 + Math.exp(-z)));
  const out = new Float32Array(logits.length);
  for (let at = 0; at < logits.length; at += k) {
    const row = logits.subarray(at, at + k);
    const top = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const total = Math.log(row.reduce((sum, z) => sum + Math.exp(z - top), 0));
    for (let i = 0; i < k; i++) {
      const logp = row[i]! - top - total;
      out[at + i] = stripped === 'LogSoftmax' ? logp : Math.exp(logp);
    }
  }
  return out;
}

/** The largest difference of two outputs `[n, k]`, as a share of the row's largest output (at least 1e-3 counts as one). */
export function worstGap(a: Float32Array, b: Float32Array, k: number): number {
  if (a.length !== b.length) return Number.NaN;
  let worst = 0;
  for (let at = 0; at < a.length; at += k) {
    let scale = 1e-3;
    for (let i = at; i < at + k; i++) scale = Math.max(scale, Math.abs(a[i]!));
    for (let i = at; i < at + k; i++) {
      if (Object.is(a[i], b[i]) || a[i] === b[i]) continue;
      const gap = Math.abs(a[i]! - b[i]!) / scale;
      if (!(gap <= worst)) worst = gap;
    }
  }
  return worst;
}
