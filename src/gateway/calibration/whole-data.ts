import { adaptDataset, type DataOptions, openDataset, type StoredLayout } from '../../data/index.ts';
import { elementCount } from '../../onnx/tensor.ts';

/** How samples are read for a model. */
export interface WholeDataOptions {
  readonly range?: readonly [number, number] | undefined;
  readonly layout?: StoredLayout | undefined;
  readonly imageSize?: readonly [number, number] | undefined;
  readonly target?: string | undefined;
  /** Most samples; those of a larger data set are drawn at random by `seed`. */
  readonly n: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly say: (line: string) => void;
}

/** A data set in memory, as a model takes it. */
export interface WholeData {
  readonly n: number;
  /** `[n, …shape]`. */
  readonly x: Float32Array;
  /** Of one sample. */
  readonly shape: readonly number[];
  /** Least and greatest value, where the data are of a kind that has them. */
  readonly range: readonly [number, number] | undefined;
  /** `sha256:…` of the source. */
  readonly digest: string;
}

/** Most values of a data set: half a gibibyte. */
const MOST_VALUES = 2 ** 27;

/** Reads a data set for an input of these dims. Errors: those of `openDataset` and `adaptDataset`. */
export async function wholeData(
  path: string,
  input: { readonly name: string; readonly dims: readonly (number | string | null)[] },
  options: WholeDataOptions,
): Promise<WholeData> {
  const { signal, target, imageSize, range, layout, seed, say } = options;
  const given: DataOptions = {
    ...(signal && { signal }),
    ...(target !== undefined && { target }),
    ...(imageSize && { imageSize }),
  };
  const dataset = await openDataset(path, given);
  try {
    const stored = elementCount(dataset.sampleShape);
    const most = Math.min(options.n, Math.max(1, Math.floor(MOST_VALUES / stored)));
    const isCut = most < dataset.n;
    if (isCut) say(`${path}: ${most} of ${dataset.n} samples were drawn; --n takes more`);
    const adapted = await adaptDataset(
      dataset,
      { ...input, dtype: 'float32' },
      {
        ...(isCut && { n: most, shuffle: seed }),
        ...(range && { range }),
        ...(layout && { layout }),
      },
      signal,
    );
    const { n, shape, bounds, digest } = adapted;
    const size = elementCount(shape);
    const x = new Float32Array(n * size);
    for await (const batch of adapted.batches(500, signal)) x.set(batch.x, batch.start * size);
    return {
      n,
      x,
      shape,
      range: bounds && [Math.min(...bounds.low), Math.max(...bounds.high)],
      digest: digest.startsWith('sha256:') ? digest : `sha256:${digest}`,
    };
  } finally {
    await dataset.close();
  }
}
