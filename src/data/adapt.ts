import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';
import { elementCount } from '../onnx/tensor.ts';
import { type Bounds, converter } from './convert.ts';
import type { Dataset, Labels } from './dataset.ts';
import { isChannels, type LayoutPlan, planLayout, type StoredLayout } from './layout.ts';
import { chooseSamples, pick, readSamples } from './samples.ts';
import { requireRows } from './stored-array.ts';
import { planValues } from './value-range.ts';

/** A model's input, as far as data must fit it. */
export interface ModelInput {
  readonly name: string;
  /** Sizes with the batch axis first; a text, `null` or a negative number is an open size. */
  readonly dims: readonly (number | string | null)[];
  /** Element type by ONNX's name in lower case, e.g. `float32` or `float`. */
  readonly dtype: string;
}

/** How data become the model's input; every key has a default. */
export interface AdaptOptions {
  /**
   * Least and greatest value of the model's input before `mean` and `std`. 8-bit data are scaled to it (default 0 to 1);
   * other data must already lie in it (default: 0 to 1 for images, none for tables and series).
   */
  readonly range?: readonly [number, number];
  /** How the samples are stored. Default `auto`. */
  readonly layout?: StoredLayout;
  /** Subtracted after scaling: one number, or one for each channel. */
  readonly mean?: number | readonly number[];
  /** Divides after `mean`: one number, or one for each channel; above 0. */
  readonly std?: number | readonly number[];
  /** How many samples to take. Default: all. */
  readonly n?: number;
  /** Takes samples in a random order that depends on this seed only. Default: in stored order. */
  readonly shuffle?: number;
}

/** Some samples, ready for the model. */
export interface Batch {
  /** Number of the first sample within the adapted data set. */
  readonly start: number;
  readonly count: number;
  /** `[count, ...sample shape]` in the model's layout, row-major. */
  readonly x: Float32Array;
  /** `count` and the sample's axes. */
  readonly shape: readonly number[];
  readonly labels?: Labels;
  /** The samples' numbers in the source. */
  readonly indices: Int32Array;
}

/** A data set as a model takes it: float32, in its layout and range. */
export interface AdaptedDataset {
  readonly n: number;
  /** Axes of one sample in the model's layout. */
  readonly shape: readonly number[];
  /** Labels of the `n` samples, in their order. */
  readonly labels?: Labels;
  readonly classes?: readonly string[];
  /** The samples' numbers in the source, in their order. */
  readonly indices: Int32Array;
  /** Digest of the whole source. */
  readonly digest: string;
  /** The value range of the model's input after all steps; absent for data without one (tables, series). */
  readonly bounds?: Bounds;
  /** The batch size, where the model fixes it. */
  readonly fixedBatch?: number;
  /** Everything that was decided or changed, in plain sentences, for the user to read. */
  readonly notes: readonly string[];
  /** Samples `[start, start + count)`. Errors: `data/not-finite`, `data/mismatch` (outside the range), `run/cancelled`. */
  read(start: number, count: number, signal?: AbortSignal): Promise<Batch>;
  /** All samples in batches of `size`; the last may be smaller. */
  batches(size: number, signal?: AbortSignal): AsyncGenerator<Batch>;
}

const KEYS = ['range', 'layout', 'mean', 'std', 'n', 'shuffle'];
/** So many samples are looked at before anything starts; every other sample is checked when it is read. */
const PROBE = 256;

/**
 * Fits a data set to a model's input: 8-bit pixels are scaled to the input's range, the channel axis is added or moved,
 * float data are taken as they are. Nothing is changed silently: `notes` holds one sentence for each step.
 *
 * Errors: `data/mismatch` (shape or type does not fit, values outside the range, all values equal), `data/not-finite`
 * (sample and position), `option/unknown`, `option/invalid`. Cost: reads the first 256 samples.
 *
 * @example
 * const data = await adaptDataset(dataset, { name: 'input', dims: ['batch', 1, 28, 28], dtype: 'float32' }, { n: 1000 });
 * for await (const { x, shape, labels } of data.batches(250)) console.log(shape, labels);
 */
export async function adaptDataset(
  dataset: Dataset,
  model: ModelInput,
  options: AdaptOptions = {},
  signal?: AbortSignal,
): Promise<AdaptedDataset> {
  checkOptions(options);
  const where = `input '${model.name}'`;
  const plan = planFor(dataset, model, options, where);
  const notes = [...dataset.notes];
  const indices = chooseSamples(dataset.n, options, notes);
  const probe = await readSamples(dataset, indices, 0, Math.min(PROBE, indices.length), signal);
  const values = planValues(
    {
      dtype: dataset.dtype,
      modelTakesBytes: model.dtype === 'uint8',
      imageLike: plan.channelAxis !== undefined && isChannels(plan.shape[plan.channelAxis]),
      ...(options.range && { declared: options.range }),
      probe,
      numberOf: (i) => indices[i]!,
      sampleSize: elementCount(plan.shape),
    },
    where,
  );
  const convert = converter(values, plan, options, dataset.dtype, where);
  notes.push(...values.notes, ...plan.notes, ...convert.notes);
  const labels = dataset.labels && pick(dataset.labels, indices);
  const batchAxis = model.dims[0];
  const read = async (start: number, count: number, readSignal?: AbortSignal): Promise<Batch> => {
    requireRows(start, count, indices.length, where);
    const raw = await readSamples(dataset, indices, start, count, readSignal);
    const part = indices.slice(start, start + count);
    return {
      start,
      count,
      x: convert.apply(raw, part),
      shape: [count, ...plan.shape],
      ...(labels && { labels: labels.slice(start, start + count) }),
      indices: part,
    };
  };
  return {
    n: indices.length,
    shape: plan.shape,
    ...(labels && { labels }),
    ...(dataset.classes && { classes: dataset.classes }),
    indices,
    digest: dataset.digest,
    ...(convert.bounds && { bounds: convert.bounds }),
    ...(typeof batchAxis === 'number' && batchAxis > 0 && { fixedBatch: batchAxis }),
    notes,
    read,
    async *batches(size, batchSignal) {
      if (!Number.isInteger(size) || size < 1)
        throw new GlacisError('option/invalid', `batch: expected a whole number above 0, got ${size}`);
      for (let start = 0; start < indices.length; start += size) {
        throwIfCancelled(batchSignal, 'reading data');
        yield await read(start, Math.min(size, indices.length - start), batchSignal);
      }
    },
  };
}

function planFor(dataset: Dataset, model: ModelInput, options: AdaptOptions, where: string): LayoutPlan {
  if (!/^(b?float(16|32|64)?|double|uint8)$/.test(model.dtype)) {
    throw new GlacisError(
      'data/mismatch',
      `${where}: expected a model that takes real numbers or 8-bit pixels, got one that takes ${model.dtype}`,
    );
  }
  if (model.dims.length === 0)
    throw new GlacisError(
      'data/mismatch',
      `${where}: expected a batch axis first, got an input without axes`,
    );
  const wanted = model.dims.slice(1).map((size) => (typeof size === 'number' && size >= 0 ? size : null));
  return planLayout(dataset.sampleShape, wanted, options.layout ?? 'auto', dataset.layout === 'hwc', where);
}

function checkOptions(options: AdaptOptions): void {
  for (const key of Object.keys(options)) {
    if (!KEYS.includes(key))
      throw new GlacisError('option/unknown', `data: expected one of ${KEYS.join(', ')}, got '${key}'`);
  }
  const { range, layout, mean, std, n, shuffle } = options;
  const bad = (name: string, wanted: string) =>
    new GlacisError('option/invalid', `data: expected ${name} to be ${wanted}, got another value`);
  if (range && !(range.length === 2 && range.every(Number.isFinite) && range[0] < range[1]))
    throw bad('range', 'two numbers, the lower first');
  if (layout !== undefined && !['nchw', 'nhwc', 'auto'].includes(layout))
    throw bad('layout', 'nchw, nhwc or auto');
  if (![mean ?? 0].flat().every(Number.isFinite)) throw bad('mean', 'finite numbers');
  if (![std ?? 1].flat().every((value) => Number.isFinite(value) && value > 0))
    throw bad('std', 'numbers above 0');
  if (n !== undefined && !(Number.isSafeInteger(n) && n >= 1)) throw bad('n', 'a whole number above 0');
  if (shuffle !== undefined && !Number.isFinite(shuffle)) throw bad('shuffle', 'a seed');
}
