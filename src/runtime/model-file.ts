import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Model } from '../onnx/model.ts';
import { writeModel } from '../onnx/write.ts';

/**
 * Hands a model to `open` as a file, weights beside it, in a folder that only this user can read and that is removed afterwards: the way of
 * models that do not fit into one buffer (2 GiB). The system's folder for temporary files must have room for it. Errors: those of
 * {@link writeModel} and of `open`.
 */
export async function asFile<T>(model: Model, open: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'glacis-model-'));
  try {
    const path = join(folder, 'model.onnx');
    await writeModel(path, model, { externalData: 1024 });
    return await open(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
