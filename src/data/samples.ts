import { randomFrom } from '../core/random.ts';
import type { Dataset, Labels } from './dataset.ts';
import type { NumberArray } from './element-type.ts';

/**
 * Numbers of the samples to take: the first `n` of `total`, or `n` in a random order that depends on the seed `shuffle`
 * only, so that fewer samples are the first of more. Adds to `notes` what was chosen.
 */
export function chooseSamples(
  total: number,
  { n, shuffle }: { readonly n?: number; readonly shuffle?: number },
  notes: string[],
): Int32Array {
  const count = Math.min(n ?? total, total);
  if (n !== undefined && n > total)
    notes.push(`${n} samples were asked for, the data set has ${total}: all were taken`);
  if (shuffle === undefined) {
    if (count < total) notes.push(`the first ${count} of ${total} samples were taken`);
    return Int32Array.from({ length: count }, (_, i) => i);
  }
  // Fisher-Yates from the front: the first `count` places are final after `count` steps.
  const order = Int32Array.from({ length: total }, (_, i) => i);
  const rng = randomFrom(shuffle, 'data/shuffle');
  for (let i = 0; i < count; i++) {
    const j = i + rng.integer(total - i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  notes.push(`${count} of ${total} samples were taken in random order (seed ${shuffle})`);
  return order.slice(0, count);
}

/** Stored values of the samples `indices[start …]`; neighbours in the source are read together. */
export async function readSamples(
  dataset: Dataset,
  indices: Int32Array,
  start: number,
  count: number,
  signal?: AbortSignal,
): Promise<NumberArray> {
  const runs: NumberArray[] = [];
  for (let at = start; at < start + count; ) {
    let end = at + 1;
    while (end < start + count && indices[end] === indices[end - 1]! + 1) end++;
    runs.push(await dataset.read(indices[at]!, end - at, signal));
    at = end;
  }
  if (runs.length === 1) return runs[0]!;
  const length = runs.reduce((sum, run) => sum + run.length, 0);
  const kind = (runs[0] ?? new Float32Array(0)).constructor as new (length: number) => NumberArray;
  const joined = new kind(length);
  let offset = 0;
  for (const run of runs) {
    joined.set(run as never, offset);
    offset += run.length;
  }
  return joined;
}

/** The labels of the samples `indices`, in their order. */
export function pick(labels: Labels, indices: Int32Array): Labels {
  const picked =
    labels instanceof Int32Array ? new Int32Array(indices.length) : new Float32Array(indices.length);
  for (let i = 0; i < indices.length; i++) picked[i] = labels[indices[i]!]!;
  return picked;
}
