import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { writeAtomically } from '../data/index.ts';
import type { Model } from '../onnx/model.ts';
import { elementCount } from '../onnx/tensor.ts';
import { trainableParameters } from './parameters.ts';
import { recordPath, type TrainingRecord } from './record.ts';

/** What a record says about the file that was written, whose bytes these are. */
export function modelRecord(
  model: Model,
  bytes: Uint8Array,
  out: string,
  folded: boolean,
): TrainingRecord['model'] {
  return {
    name: basename(out),
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    parameters: trainableParameters(model).reduce(
      (sum, name) => sum + elementCount(model.graph.initializers.get(name)!.dims),
      0,
    ),
    folded,
  };
}

/** Writes a model and its record beside it, and gives the record's path. Errors: `output/unwritable`. */
export async function writeProduced(out: string, bytes: Uint8Array, record: TrainingRecord): Promise<string> {
  const path = recordPath(out);
  await writeAtomically(out, (write) => write(bytes));
  await writeAtomically(path, (write) => write(Buffer.from(`${JSON.stringify(record, null, 2)}\n`)));
  return path;
}
