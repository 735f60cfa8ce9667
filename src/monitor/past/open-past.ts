import { GlacisError } from '../../core/error.ts';
import type { Sighting } from '../sighting.ts';
import { openBatchWriter, type PastBatch } from './batch.ts';
import { openBatchReader } from './batch-sightings.ts';
import { type CsvReader, openCsvReader } from './csv-reader.ts';
import { openLineReader } from './line-reader.ts';
import { piecesOf } from './lines-of.ts';
import type { LabelsAfter } from './tell-labels.ts';

/** Past decisions, in the order in which they stand. */
export interface Past {
  batches(signal?: AbortSignal): AsyncGenerator<PastBatch>;
}

/** Some of them. */
export interface PastBlock {
  readonly sightings: readonly Sighting[];
  /** Lines that were no decision. */
  readonly skipped: number;
  /** Names of features, where the source names them. */
  readonly features: readonly string[] | undefined;
  /** True labels that are told among them, in order. */
  readonly labels?: readonly LabelsAfter[] | undefined;
}

/** The decisions of a past as sightings, some thousand at a time. Errors: those of the past. */
export async function* blocksOf(past: Past, signal?: AbortSignal): AsyncGenerator<PastBlock> {
  const reader = openBatchReader();
  for await (const batch of past.batches(signal)) {
    const { skipped, features, labels } = batch;
    yield { sightings: reader.sightings(batch), skipped, features, labels };
  }
}

/**
 * Past decisions from a file: JSON lines (`.jsonl`, `.ndjson`) or CSV (`.csv`), each also `.gz`. `model` is whom lines are about that name none. Errors: `option/invalid` for other files; while reading `data/unreadable`,
 * `data/too-large`, `data/mismatch`.
 */
export function pastFromFile(path: string, model?: string): Past {
  const kind = /\.(jsonl|ndjson|csv)(\.gz)?$/i.exec(path)?.[1]?.toLowerCase();
  if (kind === undefined)
    throw new GlacisError(
      'option/invalid',
      `${path}: expected a file .jsonl, .ndjson or .csv (or .gz of one), or the folder of a log`,
    );
  return {
    batches: (signal) =>
      kind === 'csv' ? csvBatches(path, model, signal) : jsonBatches(path, model, signal),
  };
}

/**
 * Past decisions from the entries of a log, of which the first has the index `first`. Entries that are no decisions are events, and count for nothing. Errors: those of `entries`.
 */
export function pastFromEntries(
  entries: (signal: AbortSignal | undefined) => AsyncIterable<Uint8Array>,
  first: number,
): Past {
  return {
    async *batches(signal) {
      const writer = openBatchWriter();
      const reader = openLineReader(writer, undefined);
      let line = Buffer.alloc(2 ** 16);
      let index = first;
      for await (const entry of entries(signal)) {
        if (entry.length >= line.length) line = Buffer.alloc(2 * entry.length);
        line.set(entry);
        line[entry.length] = 10;
        if (!writer.hasRoom()) yield writer.take();
        reader.read(line, 0, entry.length, index++);
      }
      if (!writer.isEmpty()) yield writer.take();
    },
  };
}

/** Past decisions that are at hand. `each` is how many a batch may have at most. */
export function pastFromSightings(sightings: Iterable<Sighting>, each = Number.POSITIVE_INFINITY): Past {
  return {
    async *batches() {
      const writer = openBatchWriter();
      let count = 0;
      for (const sighting of sightings) {
        if (!writer.hasRoom() || count >= each) {
          yield writer.take();
          count = 0;
        }
        writer.add(sighting);
        count++;
      }
      if (!writer.isEmpty()) yield writer.take();
    },
  };
}

async function* jsonBatches(
  path: string,
  model: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<PastBatch> {
  const writer = openBatchWriter();
  const reader = openLineReader(writer, model);
  for await (const piece of piecesOf(path, signal)) {
    for (let from = 0; from < piece.length; ) {
      const to = piece.indexOf(10, from);
      if (!writer.hasRoom()) yield writer.take();
      if (!isEmpty(piece, from, to) && !reader.read(piece, from, to)) writer.skip();
      from = to + 1;
    }
  }
  if (!writer.isEmpty()) yield writer.take();
}

async function* csvBatches(
  path: string,
  model: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<PastBatch> {
  const writer = openBatchWriter();
  let reader: CsvReader | undefined;
  for await (const piece of piecesOf(path, signal)) {
    for (let from = 0; from < piece.length; ) {
      const to = piece.indexOf(10, from);
      if (reader === undefined) reader = openCsvReader(writer, piece.toString('utf8', from, to), model);
      else {
        if (!writer.hasRoom()) yield writer.take(reader.features);
        if (!isEmpty(piece, from, to) && !reader.read(piece, from, to)) writer.skip();
      }
      from = to + 1;
    }
  }
  if (!writer.isEmpty()) yield writer.take(reader?.features);
}

const isEmpty = (piece: Buffer, from: number, to: number): boolean =>
  to === from || (to === from + 1 && piece[from] === 13);
