import { open } from 'node:fs/promises';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
  type SchemaElement,
  snappyUncompress,
} from 'hyparquet';
import { GlacisError } from '../core/error.ts';
import type { DataOptions } from './dataset.ts';
import { targetColumn } from './table.ts';

/** The columns of a Parquet file as numbers; plain data, so that it can pass between processes. */
export interface ParquetColumns {
  readonly n: number;
  readonly features: readonly string[];
  /** `[n, features.length]`, row-major. */
  readonly values: Float32Array;
  readonly target?: {
    readonly name: string;
    readonly kind: 'integer' | 'number' | 'text';
    readonly values: readonly (number | string)[];
  };
  readonly notes: readonly string[];
}

const MAX_PAGE = 1 << 28;

/**
 * Decodes the file's columns with hyparquet. **Runs in a process of its own** (`parquet.ts`): a hostile file can make the
 * decoder allocate or loop without bound, and only a process can be stopped from outside.
 * Errors: `data/unreadable`, `data/too-large`, `data/not-finite`, `option/invalid`, and whatever the decoder throws.
 */
export async function decodeParquet(
  path: string,
  options: Pick<DataOptions, 'target'> & { readonly maxBytes: number },
  where: string,
): Promise<ParquetColumns> {
  const handle = await open(path, 'r');
  try {
    const byteLength = (await handle.stat()).size;
    const file: AsyncBuffer = {
      byteLength,
      async slice(start, end = byteLength) {
        if (!(start >= 0 && end >= start && end <= byteLength))
          throw new Error(`bytes ${start} to ${end} lie outside the file`);
        const bytes = new Uint8Array(end - start);
        const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
        if (bytesRead !== bytes.length) throw new Error('the file is cut short');
        return bytes.buffer;
      },
    };
    const metadata = await parquetMetadataAsync(file);
    return await decodeColumns(file, metadata, options, where);
  } finally {
    await handle.close();
  }
}

async function decodeColumns(
  file: AsyncBuffer,
  metadata: FileMetaData,
  options: Pick<DataOptions, 'target'> & { readonly maxBytes: number },
  where: string,
): Promise<ParquetColumns> {
  const children = parquetSchema(metadata).children;
  const index = children.filter(({ element }) => /^__index_level_\d+__$/.test(element.name));
  const columns = children.filter((child) => !index.includes(child));
  const names = columns.map(({ element }) => element.name);
  const target = targetColumn(names, options.target, where);
  const features = names.filter((_, column) => column !== target);
  if (features.length === 0)
    throw new GlacisError('data/mismatch', `${where}: expected at least one feature column, got none`);
  for (const [column, { element, children: nested }] of columns.entries()) {
    const kind = nested.length > 0 ? undefined : kindOf(element);
    if (kind === undefined || (kind === 'text' && column !== target)) {
      throw new GlacisError(
        'data/unreadable',
        `${where}: column '${element.name}': expected plain numbers, got ${nested.length > 0 ? 'a nested column' : describeKind(element)}; drop or encode it`,
      );
    }
  }
  const n = Number(metadata.num_rows);
  if (!Number.isSafeInteger(n) || n <= 0)
    throw new GlacisError('data/unreadable', `${where}: expected rows of data, got none`);
  if (n * features.length * 4 > options.maxBytes) {
    throw new GlacisError(
      'data/too-large',
      `${where}: expected at most ${options.maxBytes} bytes of numbers, got ${n} rows × ${features.length}`,
    );
  }
  const values = new Float32Array(n * features.length);
  let read: ParquetColumns['target'];
  let feature = 0;
  for (const [column, { element }] of columns.entries()) {
    const data = await readColumn(file, metadata, element.name, n, where);
    if (column === target) read = { name: element.name, ...readTarget(data, element, where) };
    else fillColumn(values, data, feature++, features.length, `${where}: column '${element.name}'`);
  }
  const notes = index.length > 0 ? [`${index.length} pandas index columns were left out`] : [];
  return { n, features, values, ...(read && { target: read }), notes };
}

async function readColumn(
  file: AsyncBuffer,
  metadata: FileMetaData,
  name: string,
  n: number,
  where: string,
): Promise<readonly unknown[]> {
  const cells = new Array<unknown>(n);
  let filled = 0;
  const onChunk = ({ columnData, rowStart }: { columnData: ArrayLike<unknown>; rowStart: number }) => {
    filled += columnData.length;
    for (let i = 0; i < columnData.length && rowStart + i < n; i++) cells[rowStart + i] = columnData[i];
  };
  await parquetRead({ file, metadata, columns: [name], compressors: COMPRESSORS, onChunk });
  if (filled !== n)
    throw new GlacisError(
      'data/unreadable',
      `${where}: column '${name}': expected ${n} values, got ${filled}`,
    );
  return cells;
}

function fillColumn(
  values: Float32Array,
  data: readonly unknown[],
  feature: number,
  width: number,
  where: string,
): void {
  for (let row = 0; row < data.length; row++) {
    const cell = data[row];
    const value = Math.fround(cell === null || cell === undefined ? Number.NaN : Number(cell));
    if (!Number.isFinite(value)) {
      throw new GlacisError(
        'data/not-finite',
        `${where}, row ${row}: expected a finite float32, got a missing or non-finite value`,
      );
    }
    values[row * width + feature] = value;
  }
}

function readTarget(
  data: readonly unknown[],
  element: SchemaElement,
  where: string,
): Omit<NonNullable<ParquetColumns['target']>, 'name'> {
  const kind = kindOf(element)!;
  const values: (number | string)[] = [];
  for (let row = 0; row < data.length; row++) {
    const cell = data[row];
    if (cell === null || cell === undefined) {
      throw new GlacisError(
        'data/not-finite',
        `${where}: column '${element.name}', row ${row}: expected a label, got none`,
      );
    }
    values.push(kind === 'text' ? String(cell) : Number(cell));
  }
  return { kind, values };
}

/** Dates, times and bytes are no numbers, though they are stored as such. */
function kindOf(element: SchemaElement): 'integer' | 'number' | 'text' | undefined {
  if (element.repetition_type === 'REPEATED') return undefined;
  const meaning = describeKind(element);
  if (['STRING', 'UTF8', 'ENUM'].includes(meaning)) return 'text';
  if (/^(INTEGER|U?INT_\d+|INT32|INT64|BOOLEAN)$/.test(meaning)) return 'integer';
  return /^(FLOAT|DOUBLE|FLOAT16|DECIMAL)$/.test(meaning) ? 'number' : undefined;
}

function describeKind(element: SchemaElement): string {
  return element.logical_type?.type ?? element.converted_type ?? element.type ?? 'an unknown type';
}

const bounded =
  (decompress: (input: Uint8Array, size: number) => Uint8Array) => (input: Uint8Array, size: number) => {
    if (!(size >= 0 && size <= MAX_PAGE))
      throw new GlacisError(
        'data/too-large',
        `Parquet: expected pages of at most ${MAX_PAGE} bytes, got ${size}`,
      );
    return decompress(input, size);
  };

const COMPRESSORS: Compressors = {
  SNAPPY: bounded((input, size) => {
    const output = new Uint8Array(size);
    snappyUncompress(input, output);
    return output;
  }),
  GZIP: bounded((input, size) => gunzipSync(input, { maxOutputLength: size + 1 })),
  BROTLI: bounded((input, size) => brotliDecompressSync(input, { maxOutputLength: size + 1 })),
  ZSTD: bounded((input, size) => zstdDecompressSync(input, { maxOutputLength: size + 1 })),
};
