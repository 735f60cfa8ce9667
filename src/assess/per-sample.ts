import { join } from 'node:path';
import { type Labels, writeNpz } from '../data/index.ts';
import type { CellRecord, CleanRecord } from './record.ts';

/**
 * Writes the outcome of every sample of one cell: `index` (number in the data), `label`, `clean_prediction`,
 * `clean_correct`, `prediction`, `success`, `distance`, `decided`,
 * `queries` (about the sample until it was decided), `part` (1 + the attack's part that did it); of targeted attacks also `target` (the class
 * that the sample was led to, −1 where it has none). Errors: `output/unwritable`.
 */
export async function writePerSample(
  folder: string,
  name: string,
  samples: { readonly indices: Int32Array; readonly labels: Labels },
  clean: CleanRecord,
  record: CellRecord,
): Promise<void> {
  const n = record.success.length;
  const rows = (data: Labels) => ({ data, shape: data.length === n ? [n] : [n, data.length / n] });
  await writeNpz(join(folder, name), {
    index: rows(samples.indices),
    label: rows(samples.labels),
    clean_prediction: rows(clean.prediction),
    clean_correct: { data: clean.correct, shape: [n], bool: true },
    ...(clean.targets && { target: { data: clean.targets, shape: [n] } }),
    prediction: rows(record.prediction),
    success: { data: record.success, shape: [n], bool: true },
    distance: { data: record.distance, shape: [n] },
    decided: { data: record.decided, shape: [n], bool: true },
    queries: { data: record.asked, shape: [n] },
    part: { data: record.by, shape: [n] },
  });
}
