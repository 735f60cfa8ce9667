import { join } from 'node:path';
import { openFile } from '../../src/data/byte-source.ts';
import { openNpz } from '../../src/data/npz.ts';
import type { HostTensor } from '../../src/runtime/array.ts';

/** What PyTorch computed in float64 for one network and batch size (see reference.py). */
export interface Answers {
  readonly batch: number;
  /** The model's inputs by name: `x` in float32, and `index` in int64 where the network has it. */
  readonly feeds: Readonly<Record<string, HostTensor>>;
  readonly labels: HostTensor;
  readonly logits: HostTensor;
  /** Of the loss with respect to `x`. */
  readonly gradient: HostTensor;
  readonly weights: readonly { readonly value: HostTensor; readonly gradient: HostTensor }[];
}

const KEYS = [
  'x',
  'index',
  'labels',
  'logits',
  'gradient',
  'weight0',
  'weight1',
  'weight2',
  'weightGradient0',
  'weightGradient1',
  'weightGradient2',
] as const;

/** Reads a reference file. Errors: `data/unreadable`. */
export async function readAnswers(folder: string, name: string): Promise<Answers> {
  const path = join(folder, name);
  const source = await openFile(path);
  const { arrays } = await openNpz(source, KEYS, path, 2 ** 28);
  const read: Partial<Record<(typeof KEYS)[number], HostTensor>> = {};
  for (const [i, key] of KEYS.entries()) {
    const array = arrays[i];
    if (!array) continue;
    const data = await array.read(0, array.shape[0] ?? 1);
    const dtype = array.type === 'int64' ? 'int64' : 'float64';
    read[key] = { dtype, dims: array.shape, data: data as HostTensor['data'] };
  }
  await source.close();
  const x = read.x!;
  return {
    batch: x.dims[0]!,
    feeds: {
      x: { dtype: 'float32', dims: x.dims, data: Float32Array.from(x.data as Float64Array) },
      ...(read.index && { index: read.index }),
    },
    labels: read.labels!,
    logits: read.logits!,
    gradient: read.gradient!,
    weights: ([0, 1, 2] as const).flatMap((k) => {
      const [value, gradient] = [read[`weight${k}`], read[`weightGradient${k}`]];
      return value && gradient ? [{ value, gradient }] : [];
    }),
  };
}
