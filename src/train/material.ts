import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';
import { randomFrom } from '../core/random.ts';
import {
  type AdaptedDataset,
  adaptDataset,
  type Dataset,
  openDataset,
  readLabelFile,
  type StoredLayout,
} from '../data/index.ts';
import { elementCount } from '../onnx/tensor.ts';
import { type LabelledSamples, shuffled } from './samples.ts';

/** Data to learn from or to check against, as the network takes them. */
export interface Material {
  readonly samples: LabelledSamples;
  readonly n: number;
  /** Shape of one sample. */
  readonly shape: readonly number[];
  /** Labels a sample: 1, or one an output. */
  readonly width: number;
  /** Whether the labels are real numbers (a regression). */
  readonly isReal: boolean;
  readonly classNames?: readonly string[];
  /** Names of a table's columns, in the order of a sample's values. */
  readonly columns?: readonly string[];
  /** Least and greatest value of an input: the data's range where one is known, else what occurs. */
  readonly bounds: readonly [number, number];
  /** Whether {@link bounds} come from a known range. */
  readonly isRanged: boolean;
  readonly digest: string;
  /** Digest of the whole data set, of which {@link n} may be a part, without labels from elsewhere: by it the privacy ledger knows the samples. */
  readonly dataSet: string;
  readonly description: string;
  readonly notes: readonly string[];
}

/** How {@link openMaterial} reads. */
export interface MaterialOptions {
  /** Input of the model that is to be trained; without, the data decide (channels first for pictures). */
  readonly input?: { readonly name: string; readonly dims: readonly (number | string | null)[] } | undefined;
  /** Shape of one sample, where neither model nor data say it. */
  readonly shape?: readonly number[] | undefined;
  /** File with labels, one or several a sample. */
  readonly labels?: string | undefined;
  readonly n?: number | undefined;
  readonly range?: readonly [number, number] | undefined;
  readonly layout?: StoredLayout | undefined;
  readonly imageSize?: readonly [number, number] | undefined;
  readonly target?: string | undefined;
  /** Whether the labels are to be read as real numbers, or as classes; told by their type without. */
  readonly isReal?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Samples read at once. */
const CHUNK = 1024;

/**
 * Reads a whole data set into memory as a network takes it, with its labels. Pixels stay bytes where that loses nothing.
 * Errors: those of `openDataset`, `adaptDataset` and `readLabelFile`; `data/mismatch` for data without labels.
 */
export async function openMaterial(spec: string, options: MaterialOptions): Promise<Material> {
  const { signal, target, imageSize, range, layout, n, isReal } = options;
  const task =
    isReal === undefined ? undefined : isReal ? ('regression' as const) : ('classification' as const);
  const dataset = await openDataset(spec, {
    ...(signal && { signal }),
    ...(target !== undefined && { target }),
    ...(imageSize && { imageSize }),
    ...(task && { task }),
  });
  try {
    const input = options.input ?? { name: 'input', dims: [null, ...(options.shape ?? usualShape(dataset))] };
    const adapted = await adaptDataset(
      dataset,
      { ...input, dtype: 'float32' },
      { ...(n !== undefined && { n }), ...(range && { range }), ...(layout && { layout }) },
      signal,
    );
    const found = await labelsOf(adapted, dataset.n, options);
    const { x, least, most } = await valuesOf(adapted, signal);
    const { bounds } = adapted;
    return {
      samples: { x, y: found.labels },
      n: adapted.n,
      shape: adapted.shape,
      width: found.width,
      isReal: found.labels instanceof Float32Array,
      ...(adapted.classes && { classNames: adapted.classes }),
      ...(dataset.columns && { columns: dataset.columns }),
      bounds: bounds ? [Math.min(...bounds.low), Math.max(...bounds.high)] : [least, most],
      isRanged: bounds !== undefined,
      digest: found.digest === undefined ? adapted.digest : `${adapted.digest},${found.digest}`,
      dataSet: dataset.digest,
      description: dataset.describe,
      notes: adapted.notes,
    };
  } finally {
    await dataset.close();
  }
}

/** A pure part of a material: the samples of these numbers. */
export function partOf(material: Material, numbers: ArrayLike<number>): Material {
  const { x, y } = material.samples;
  const size = elementCount(material.shape);
  const picked = <T extends Float32Array | Uint8Array>(from: T, to: T, width: number): T => {
    for (let i = 0; i < numbers.length; i++)
      to.set(from.subarray(numbers[i]! * width, (numbers[i]! + 1) * width), i * width);
    return to;
  };
  const values =
    x instanceof Uint8Array
      ? picked(x, new Uint8Array(numbers.length * size), size)
      : picked(x, new Float32Array(numbers.length * size), size);
  const { width } = material;
  const labels = Float64Array.from(
    { length: numbers.length * width },
    (_, i) => y[numbers[Math.floor(i / width)]! * width + (i % width)]!,
  );
  return { ...material, samples: { x: values, y: labels }, n: numbers.length };
}

/** Splits off a random share for validation, which depends on the seed only. Errors: `option/invalid`, also where nothing would be left to learn from. */
export function splitOff(
  material: Material,
  share: number,
  seed: number,
): { readonly training: Material; readonly validation: Material } {
  const count = Math.round(share * material.n);
  if (!(share > 0 && share < 1) || count < 1 || count >= material.n)
    throw new GlacisError(
      'option/invalid',
      `validation share: expected a share between 0 and 1 that leaves samples on both sides, got ${share} of ${material.n}`,
    );
  const order = shuffled(material.n, randomFrom(seed, 'train', 'split'));
  return {
    validation: partOf(material, order.subarray(0, count).toSorted()),
    training: partOf(material, order.subarray(count).toSorted()),
  };
}

/** Mean and standard deviation of each feature (the last axis of tables and sequences), for a network that takes them as they come. */
export function centreOf({ samples: { x }, shape }: Material): {
  readonly mean: readonly number[];
  readonly std: readonly number[];
} {
  const width = shape.at(-1)!;
  const scale = x instanceof Uint8Array ? 255 : 1;
  const rows = x.length / width;
  const mean = new Array<number>(width).fill(0);
  const square = new Array<number>(width).fill(0);
  for (let i = 0; i < x.length; i++) mean[i % width]! += x[i]! / scale / rows;
  for (let i = 0; i < x.length; i++) square[i % width]! += (x[i]! / scale - mean[i % width]!) ** 2 / rows;
  // A feature that never changes is left at 0, not divided by it.
  return { mean, std: square.map((v) => (v > 1e-12 ? Math.sqrt(v) : 1)) };
}

/** Channels first for pictures; everything else as stored. */
function usualShape({ sampleShape, layout, dtype }: Dataset): readonly number[] {
  const [a, b, c] = sampleShape;
  const isChannels = (size: number | undefined) => size === 1 || size === 3 || size === 4;
  if (sampleShape.length === 2 && dtype === 'uint8') return [1, a!, b!];
  if (sampleShape.length === 3 && (layout === 'hwc' || (isChannels(c) && !isChannels(a))))
    return [c!, a!, b!];
  return sampleShape;
}

async function labelsOf(
  adapted: AdaptedDataset,
  total: number,
  { labels: path, signal, isReal }: MaterialOptions,
) {
  if (path !== undefined) {
    const read = await readLabelFile(path, adapted.indices, total, signal);
    return isReal ? { ...read, labels: Float32Array.from(read.labels) } : read;
  }
  if (!adapted.labels)
    throw new GlacisError(
      'data/mismatch',
      'data: expected labels, found none; give them as the second file (images,labels), as y in the .npz, or with --labels',
    );
  return { labels: adapted.labels, width: 1, digest: undefined };
}

/** All values; as bytes where they are 255ths of the range 0–1, which the trainer divides again. */
async function valuesOf(adapted: AdaptedDataset, signal: AbortSignal | undefined) {
  const size = elementCount(adapted.shape);
  let x: Uint8Array | Float32Array = new Uint8Array(adapted.n * size);
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (let start = 0; start < adapted.n; start += CHUNK) {
    throwIfCancelled(signal, 'reading data');
    const batch = await adapted.read(start, Math.min(CHUNK, adapted.n - start), signal);
    const at = start * size;
    for (const v of batch.x) {
      if (v < least) least = v;
      if (v > most) most = v;
    }
    if (x instanceof Uint8Array && !fillBytes(x, at, batch.x)) {
      const done = x.subarray(0, at);
      x = new Float32Array(adapted.n * size);
      for (let i = 0; i < at; i++) x[i] = done[i]! / 255;
    }
    if (x instanceof Float32Array) x.set(batch.x, at);
  }
  return { x, least, most };
}

/** Writes values as bytes, or gives false for one that is no 255th. */
function fillBytes(bytes: Uint8Array, at: number, values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) {
    const byte = Math.round(values[i]! * 255);
    if (!(byte >= 0 && byte <= 255) || Math.fround(byte / 255) !== values[i]) return false;
    bytes[at + i] = byte;
  }
  return true;
}
