import { GlacisError } from '../core/error.ts';
import { elementCount } from '../onnx/tensor.ts';
import type { Labels } from './dataset.ts';
import { openDataset } from './open.ts';

/** Labels from a file of their own, for the samples of these numbers among `total`: `[n]` or `[n, k]` (.npy or IDX). */
export interface FileLabels {
  /** Row-major, `width` a sample; whole-number types stay whole. */
  readonly labels: Labels;
  readonly width: number;
  /** Digest of the file. */
  readonly digest: string;
}

/** Reads {@link FileLabels}. Errors: `data/mismatch` for another number of rows, `data/not-finite`, and those of `openDataset`. */
export async function readLabelFile(
  path: string,
  indices: Int32Array,
  total: number,
  signal?: AbortSignal,
): Promise<FileLabels> {
  const stored = await openDataset(path, signal ? { signal } : {});
  try {
    if (stored.n !== total)
      throw new GlacisError(
        'data/mismatch',
        `${path}: expected ${total} labels, one for each sample, got ${stored.n}`,
      );
    const width = elementCount(stored.sampleShape);
    const values = await stored.read(0, stored.n, signal);
    const labels = new (/^float/.test(stored.dtype) ? Float32Array : Int32Array)(indices.length * width);
    for (const [i, index] of indices.entries())
      for (let j = 0; j < width; j++) labels[i * width + j] = Number(values[index * width + j]);
    const bad = labels.findIndex((v) => !Number.isFinite(v));
    if (bad >= 0)
      throw new GlacisError(
        'data/not-finite',
        `${path}: the label of sample ${Math.floor(bad / width)} is not a finite number`,
      );
    return { labels, width, digest: stored.digest };
  } finally {
    await stored.close();
  }
}
