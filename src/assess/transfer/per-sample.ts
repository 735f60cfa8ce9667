import { join } from 'node:path';
import { type Labels, writeNpz } from '../../data/index.ts';
import type { TransferRecord } from './run.ts';

/**
 * Writes the outcome of every sample: `index` (number in the data), `label`, `clean_correct` and (but for l0) `noise_fooled` `[models, n]`; and of the rows `row_model`
 * (place of the model that examples were made on), `row_done` (samples from the first on that were tried) and `fooled`
 * `[rows, models, n]`, 1 where both models were right before and the column's is wrong on the example.
 * Errors: `output/unwritable`.
 */
export async function writeTransferSamples(
  folder: string,
  name: string,
  samples: { readonly indices: Int32Array; readonly labels: Labels },
  { right, noise, rows }: TransferRecord,
): Promise<void> {
  const { indices, labels } = samples;
  const n = indices.length;
  const models = right.length;
  const joined = (parts: readonly Uint8Array[]) => {
    const all = new Uint8Array(parts.length * n);
    for (const [i, part] of parts.entries()) all.set(part, i * n);
    return all;
  };
  await writeNpz(join(folder, name), {
    index: { data: indices, shape: [n] },
    label: { data: labels, shape: labels.length === n ? [n] : [n, labels.length / n] },
    clean_correct: { data: joined(right), shape: [models, n], bool: true },
    ...(noise && { noise_fooled: { data: joined(noise), shape: [models, n], bool: true } }),
    row_model: { data: Int32Array.from(rows, ({ model }) => model), shape: [rows.length] },
    row_done: { data: Int32Array.from(rows, ({ done }) => done), shape: [rows.length] },
    fooled: {
      data: joined(rows.flatMap(({ fooled }) => fooled)),
      shape: [rows.length, models, n],
      bool: true,
    },
  });
}
