import { join } from 'node:path';
import { type Loaded, load } from '../../../../src/assess/load.ts';
import { writeNpz } from '../../../../src/data/index.ts';
import { writeModel } from '../../../../src/onnx/write.ts';
import type { Engine } from '../../../../src/runtime/engine.ts';
import { buildRecipe, cosine, planRecipe, train } from '../../../../src/train/index.ts';

/** Trains a small network of two classes on rows and writes it as `model.onnx` into the folder. */
export async function writeNetwork(
  engine: Engine,
  folder: string,
  {
    x,
    y,
    dims,
  }: { readonly x: Float32Array; readonly y: readonly number[]; readonly dims: readonly number[] },
  epochs: number,
): Promise<void> {
  const start = buildRecipe(planRecipe('mlp(hidden=32)'), { input: dims, outputs: 2, seed: 0 });
  const { model } = await train(
    engine,
    start,
    { x, y },
    { epochs, batch: 64, schedule: cosine({ peak: 5e-3 }), seed: 0 },
  );
  await writeModel(join(folder, 'model.onnx'), model);
}

/** Opens that network, ready to be attacked on these samples. */
export async function openNetwork(
  engine: Engine,
  folder: string,
  {
    x,
    y,
    dims,
  }: { readonly x: Float32Array; readonly y: readonly number[]; readonly dims: readonly number[] },
  range: readonly [number, number],
): Promise<Loaded> {
  const data = join(folder, 'data.npz');
  await writeNpz(data, {
    x: { data: x, shape: [y.length, ...dims] },
    y: { data: Int32Array.from(y), shape: [y.length] },
  });
  return load(engine, { model: join(folder, 'model.onnx'), data, range });
}
