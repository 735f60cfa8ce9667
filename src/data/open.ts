import { stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { type ByteSource, digestOf, digestOfParts, openFile } from './byte-source.ts';
import { readCsv } from './csv.ts';
import { type DataOptions, type Dataset, DEFAULT_MAX_BYTES } from './dataset.ts';
import { looksLikeIdx, openIdx } from './idx.ts';
import { openImageFolder } from './image-folder.ts';
import { labelsFromArray, type ReadLabels } from './labels.ts';
import { NPY_MAGIC, openNpy } from './npy.ts';
import { openNpz } from './npz.ts';
import { readParquet } from './parquet.ts';
import { requireRows, type StoredArray } from './stored-array.ts';
import type { Table } from './table.ts';
import { namesSigns, openSigns } from './traffic-signs/dataset.ts';

type Format = 'npy' | 'npz' | 'idx' | 'csv' | 'parquet';

interface Settings extends DataOptions {
  readonly maxBytes: number;
}

const KEYS: Readonly<Record<keyof DataOptions, true>> = {
  x: true,
  y: true,
  target: true,
  header: true,
  delimiter: true,
  task: true,
  imageSize: true,
  channels: true,
  classes: true,
  maxBytes: true,
  signal: true,
};

/**
 * Opens a data set: an `.npz` (samples `x`, labels `y`), an `.npy`, an IDX file, `SAMPLES,LABELS` for two `.npy` or IDX
 * files, a folder of images by class, a CSV or a Parquet file, or the bundled pictures (`traffic-signs:train`). The format is told by the
 * content; CSV by its ending.
 *
 * Memory: `.npy`, plain IDX and stored `.npz` members are read in ranges, images one by one; compressed arrays and tables
 * are held, up to `maxBytes` each. Cost: one pass over all bytes for the digest.
 * Errors: `data/unreadable`, `data/mismatch` (labels and samples differ in number), `data/too-large`, `data/not-finite`,
 * `data/label-range`, `option/unknown`, `option/invalid`, `run/cancelled`.
 *
 * @example
 * const dataset = await openDataset('t10k-images-idx3-ubyte.gz,t10k-labels-idx1-ubyte.gz');
 * const pixels = await dataset.read(0, 100); // Uint8Array of 100 × 28 × 28
 */
export async function openDataset(spec: string, options: DataOptions = {}): Promise<Dataset> {
  const settings = { ...options, maxBytes: options.maxBytes ?? DEFAULT_MAX_BYTES };
  checkOptions(settings);
  const whole = await stat(spec).catch(() => undefined);
  if (whole?.isDirectory()) return openImageFolder(spec, settings);
  if (!whole && namesSigns(spec)) return openSigns(spec);
  const comma = spec.indexOf(',');
  const paths = whole || comma < 0 ? [spec] : [spec.slice(0, comma), spec.slice(comma + 1)];
  const sources: ByteSource[] = [];
  try {
    for (const path of paths) sources.push(await openFile(path));
    const digests: string[] = [];
    for (const source of sources) digests.push(await digestOf(source, settings.signal));
    const digest =
      digests.length === 1
        ? digests[0]!
        : digestOfParts(paths.map((path, i) => ({ name: basename(path), digest: digests[i]! })));
    return closing(await openSources(paths, sources, digest, settings), sources);
  } catch (error) {
    for (const source of sources) await source.close().catch(() => {});
    throw asGlacisError(error, 'data/unreadable', spec);
  }
}

/** A data set that closes its files, though its arrays may live in memory. */
function closing(dataset: Dataset, sources: readonly ByteSource[]): Dataset {
  return {
    ...dataset,
    async close() {
      await dataset.close();
      for (const source of sources) await source.close();
    },
  };
}

function checkOptions(options: Settings): void {
  for (const key of Object.keys(options)) {
    if (!(key in KEYS))
      throw new GlacisError(
        'option/unknown',
        `data: expected one of ${Object.keys(KEYS).join(', ')}, got '${key}'`,
      );
  }
  const { maxBytes, imageSize, channels, task, delimiter } = options;
  const bad = (name: string, wanted: string) =>
    new GlacisError('option/invalid', `data: expected ${name} to be ${wanted}, got another value`);
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1 || maxBytes > 2 ** 32)
    throw bad('maxBytes', 'between 1 byte and 4 GiB');
  if (
    imageSize &&
    !(
      imageSize.length === 2 && imageSize.every((size) => Number.isInteger(size) && size >= 1 && size <= 8192)
    )
  ) {
    throw bad('imageSize', 'height and width between 1 and 8192');
  }
  if (channels !== undefined && channels !== 1 && channels !== 3) throw bad('channels', '1 or 3');
  if (task !== undefined && !['classification', 'regression', 'auto'].includes(task))
    throw bad('task', 'classification, regression or auto');
  if (delimiter !== undefined && delimiter.length !== 1) throw bad('delimiter', 'one character');
}

async function openSources(
  paths: readonly string[],
  sources: readonly ByteSource[],
  digest: string,
  settings: Settings,
): Promise<Dataset> {
  const [path, labelPath] = paths as [string, string?];
  const [source, labelSource] = sources as [ByteSource, ByteSource?];
  const format = await formatOf(path, source);
  if (labelSource && format !== 'npy' && format !== 'idx') {
    throw new GlacisError('data/unreadable', `${path}: expected .npy or IDX before the comma, got ${format}`);
  }
  if (format === 'csv' || format === 'parquet') {
    const table = await (format === 'csv'
      ? readCsv(source, settings, path)
      : readParquet(path, settings, path));
    await source.close();
    return fromTable(table, digest, format === 'csv' ? 'CSV' : 'Parquet');
  }
  if (format === 'npz') {
    const { x = 'x', y = 'y', maxBytes, signal } = settings;
    const { arrays, names } = await openNpz(source, [x, y], path, maxBytes, signal);
    if (!arrays[0]) {
      const shown = names.slice(0, 10).map((name) => `'${name.slice(0, 40)}'`);
      throw new GlacisError(
        'data/unreadable',
        `${path}: expected an array '${x}', got ${shown.join(', ') || 'none'}; name it with x`,
      );
    }
    if (settings.y !== undefined && !arrays[1])
      throw new GlacisError('data/unreadable', `${path}: expected an array '${y}', got none`);
    const missing = arrays[1] ? [] : [`there are no labels (no array '${y}')`];
    return fromArrays(arrays[0], arrays[1], digest, 'NumPy archive', path, settings, missing);
  }
  const samples = await openAs(format, source, path, settings);
  const labels =
    labelSource && (await openAs(await formatOf(labelPath!, labelSource), labelSource, labelPath!, settings));
  return fromArrays(
    samples,
    labels,
    digest,
    format === 'npy' ? 'NumPy array' : 'IDX',
    path,
    settings,
    labels ? [] : ['there are no labels'],
  );
}

function openAs(
  format: Format,
  source: ByteSource,
  path: string,
  { maxBytes, signal }: Settings,
): Promise<StoredArray> {
  if (format === 'npy') return openNpy(source, path, maxBytes);
  if (format === 'idx') return openIdx(source, path, maxBytes, signal);
  throw new GlacisError('data/unreadable', `${path}: expected labels as .npy or IDX, got ${format}`);
}

async function formatOf(path: string, source: ByteSource): Promise<Format> {
  const start = await source.read(0, Math.min(8, source.size));
  const begins = (...bytes: readonly number[]) => bytes.every((byte, i) => start[i] === byte);
  if (begins(...NPY_MAGIC)) return 'npy';
  if (begins(0x50, 0x4b, 3, 4) || begins(0x50, 0x4b, 5, 6)) return 'npz';
  if (begins(0x50, 0x41, 0x52, 0x31)) return 'parquet';
  if (begins(0x1f, 0x8b) || looksLikeIdx(start)) return 'idx';
  if (['.csv', '.tsv', '.txt'].includes(extname(path).toLowerCase())) return 'csv';
  throw new GlacisError(
    'data/unreadable',
    `${path}: expected .npz, .npy, IDX (plain or .gz), Parquet, a file named .csv or a folder of images by class, got other bytes`,
  );
}

async function fromArrays(
  samples: StoredArray,
  labels: StoredArray | undefined,
  digest: string,
  kind: string,
  where: string,
  { task, signal }: Settings,
  notes: readonly string[],
): Promise<Dataset> {
  const [n, ...rest] = samples.shape;
  const sampleShape = rest.length === 0 ? [1] : rest;
  if (n === undefined || n === 0 || sampleShape.includes(0)) {
    throw new GlacisError(
      'data/mismatch',
      `${where}: expected at least one sample, got an array of shape [${samples.shape.join(', ')}]`,
    );
  }
  const read: ReadLabels | undefined =
    labels && (await labelsFromArray(labels, n, task, `${where} (labels)`, signal));
  return {
    n,
    sampleShape,
    dtype: samples.type,
    ...(read && { labels: read.labels, ...(read.classes && { classes: read.classes }) }),
    digest,
    describe: `${n} samples of ${samples.type} [${sampleShape.join(', ')}] from ${kind}`,
    notes: read ? [...notes, read.note] : notes,
    read: (start, count, readSignal) => samples.read(start, count, readSignal),
    async close() {
      await samples.close();
      await labels?.close();
    },
  };
}

function fromTable(table: Table, digest: string, kind: string): Dataset {
  const { n, features, values, labels, classes, notes } = table;
  const width = features.length;
  return {
    n,
    sampleShape: [width],
    dtype: 'float32',
    columns: features,
    ...(classes && { classes }),
    ...(labels && { labels }),
    digest,
    describe: `${n} rows of ${width} numbers from ${kind}`,
    notes,
    async read(start, count) {
      requireRows(start, count, n, kind);
      return values.slice(start * width, (start + count) * width);
    },
    close: async () => {},
  };
}
