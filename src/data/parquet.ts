import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { deserialize } from 'node:v8';
import { asGlacisError, type ErrorCode, GlacisError } from '../core/error.ts';
import type { DataOptions } from './dataset.ts';
import { labelsFromNumbers, labelsFromTexts } from './labels.ts';
import type { ParquetColumns } from './parquet-columns.ts';
import type { Table } from './table.ts';

type Answer = ParquetColumns | { readonly error: { readonly code: ErrorCode; readonly message: string } };

/** Heap of the decoding process, in MiB. */
const HEAP = 1024;
/** A file may take this long, and as much again for every {@link BYTES_PER_TURN} bytes. */
const TURN_MS = 20_000;
const BYTES_PER_TURN = 1 << 26;

/**
 * Reads a Parquet file of flat numeric columns and one target column; the other columns are features, read as float32.
 * Codecs: none, Snappy, GZIP, Brotli, ZSTD. Nested, date, time and binary columns are refused by name.
 *
 * The decoding happens in a short-lived child process with a bounded heap, bounded time and no right to write files or
 * start programs, because the bytes are attacker-controlled and the decoder (hyparquet) does not bound what they ask for: a kilobyte that claims a run of
 * 2²⁹ values keeps it busy for seconds until its heap is full.
 * Errors: `data/unreadable`, `data/too-large`, `data/not-finite` (missing values too), `option/invalid` (no such target
 * column), `run/cancelled`.
 */
export async function readParquet(
  path: string,
  options: DataOptions & { readonly maxBytes: number },
  where: string,
): Promise<Table> {
  const { target, maxBytes, task, signal } = options;
  const { size } = await stat(path);
  const question = JSON.stringify({ path, where, maxBytes, ...(target !== undefined && { target }) });
  const answer = await ask(
    question,
    maxBytes,
    TURN_MS * (1 + Math.floor(size / BYTES_PER_TURN)),
    where,
    signal,
  );
  if ('error' in answer) throw new GlacisError(answer.error.code, answer.error.message);
  const { n, features, values, notes } = answer;
  if (!answer.target) return { n, features, values, notes: [...notes, 'there is no target column'] };
  const { name, kind, values: cells } = answer.target;
  const place = `${where}: column '${name}'`;
  const named = `column '${name}' is the target`;
  if (kind === 'text') {
    const { labels, classes, note } = labelsFromTexts(cells.map(String), task, place);
    return { n, features, values, labels, ...(classes && { classes }), notes: [...notes, named, note] };
  }
  const isClasses = task === 'classification' || (task !== 'regression' && kind === 'integer');
  const labels = labelsFromNumbers(Float64Array.from(cells, Number), isClasses, place);
  return {
    n,
    features,
    values,
    labels,
    notes: [...notes, named, `labels are ${isClasses ? 'class numbers' : 'regression targets'}`],
  };
}

async function ask(
  question: string,
  maxBytes: number,
  timeout: number,
  where: string,
  signal?: AbortSignal,
): Promise<Answer> {
  // The same folder holds this file and the child's program, as .ts in the sources and as .js in the package.
  const program = fileURLToPath(
    new URL(
      import.meta.url.endsWith('.ts') ? './parquet-process.ts' : './parquet-process.js',
      import.meta.url,
    ),
  );
  const flags = [
    `--max-old-space-size=${HEAP}`,
    '--permission',
    '--allow-fs-read=*',
    '--disable-warning=SecurityWarning',
  ];
  const child = spawn(process.execPath, [...flags, program, question], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, NODE_OPTIONS: '' },
    timeout,
    killSignal: 'SIGKILL',
    ...(signal && { signal }),
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  ended.catch(() => {});
  try {
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of child.stdout as AsyncIterable<Uint8Array>) {
      length += piece.length;
      // Numbers of the target and names come on top of the features.
      if (length > 2 * maxBytes + (1 << 24)) {
        child.kill('SIGKILL');
        throw new GlacisError(
          'data/too-large',
          `${where}: expected at most ${maxBytes} bytes of numbers, got more`,
        );
      }
      pieces.push(piece);
    }
    const status = await ended;
    if (status === 0) return deserialize(Buffer.concat(pieces)) as Answer;
    throw new GlacisError(
      'data/unreadable',
      `${where}: expected Parquet that decodes within ${HEAP} MiB and ${timeout / 1000} s, got a file that does not`,
    );
  } catch (error) {
    if (signal?.aborted) throw new GlacisError('run/cancelled', `${where}: cancelled`, { cause: error });
    throw asGlacisError(error, 'data/unreadable', where);
  }
}
