import { join } from 'node:path';
import { type Labels, writeNpz } from '../../data/index.ts';
import type { CorruptionRecord } from './run.ts';

/**
 * Writes the outcome of every sample: `index` (number in the data), `label`, `clean_correct` `[n]`, and `correct` `[cells, n]`, a
 * row for each finished cell in the order of the plan (corruption after corruption by rising severity, then uniform and Gaussian
 * noise by rising amount). Errors: `output/unwritable`.
 */
export async function writeCorruptionSamples(
  folder: string,
  name: string,
  samples: { readonly indices: Int32Array; readonly labels: Labels },
  record: CorruptionRecord,
): Promise<void> {
  const n = record.cleanWrong.length;
  const right = (wrong: Uint8Array) => wrong.map((flag) => 1 - flag);
  const done = record.wrong.slice(0, Math.max(0, record.finished - 1));
  const correct = new Uint8Array(done.length * n);
  for (const [i, wrong] of done.entries()) correct.set(right(wrong), i * n);
  const { indices, labels } = samples;
  await writeNpz(join(folder, name), {
    index: { data: indices, shape: [n] },
    label: { data: labels, shape: labels.length === n ? [n] : [n, labels.length / n] },
    clean_correct: { data: right(record.cleanWrong), shape: [n], bool: true },
    correct: { data: correct, shape: [done.length, n], bool: true },
  });
}
