import { GlacisError } from '../../core/error.ts';
import type { Sighting } from '../sighting.ts';
import { linesOf } from './lines-of.ts';
import { sightingFromJson } from './sighting-from-json.ts';
import { csvSightings } from './sightings-from-csv.ts';

/** Past decisions, in the order in which they stand. */
export interface Past {
  blocks(signal?: AbortSignal): AsyncGenerator<PastBlock>;
}

/** Some of them. */
export interface PastBlock {
  readonly sightings: readonly Sighting[];
  /** Lines that were no decision. */
  readonly skipped: number;
  /** Names of features, where the source names them. */
  readonly features?: readonly string[] | undefined;
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
    blocks: (signal) => (kind === 'csv' ? csvBlocks(path, model, signal) : jsonBlocks(path, model, signal)),
  };
}

async function* jsonBlocks(
  path: string,
  model: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<PastBlock> {
  for await (const lines of linesOf(path, signal)) {
    const sightings: Sighting[] = [];
    let skipped = 0;
    for (const line of lines) {
      if (line === '' || line === '\r') continue;
      const found = sightingFromLine(line, model);
      if (found === undefined) skipped++;
      else sightings.push(found);
    }
    yield { sightings, skipped };
  }
}

/** A line of JSON as a sighting; undefined for what is none. */
export function sightingFromLine(line: string, model?: string): Sighting | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined;
  }
  const isBare =
    model !== undefined &&
    typeof json === 'object' &&
    json !== null &&
    !('model' in json) &&
    !('decision' in json);
  return sightingFromJson(isBare ? { ...(json as object), model } : json);
}

async function* csvBlocks(
  path: string,
  model: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<PastBlock> {
  let reader: ReturnType<typeof csvSightings> | undefined;
  for await (const lines of linesOf(path, signal)) {
    const sightings: Sighting[] = [];
    let skipped = 0;
    for (const line of lines) {
      if (reader === undefined) {
        reader = csvSightings(line, model);
        continue;
      }
      const found = reader.read(line);
      if (found !== undefined) sightings.push(found);
      else if (line !== '' && line !== '\r') skipped++;
    }
    yield { sightings, skipped, features: reader?.features };
  }
}
