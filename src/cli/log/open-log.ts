import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { type ArchivedRange, archivedRanges, firstEntry } from '../../gateway/record/archive.ts';
import { type LogFolder, logFolder, parseTrustFile } from '../../gateway/record/log-folder.ts';
import type { RevealWho } from '../../gateway/record/log-index.ts';
import { type DecisionEntry, readEntry, type Who } from '../../gateway/record/read-entry.ts';
import { readRotations, trustAfter } from '../../gateway/record/rotate-keys.ts';
import { openBytes } from '../../gateway/record/sealed-bytes.ts';
import { type SubjectKeys, subjectKeys } from '../../gateway/record/subject-keys.ts';
import {
  folderSource,
  httpSource,
  type LogReader,
  type LogSource,
  type LogTrust,
  openLog,
} from '../../ledger/index.ts';
import { openWrappingKey } from '../../supply/vault/wrapping-key.ts';
import type { Given } from '../args.ts';

/** A log that the command line names, verified as far as opening it goes. */
export interface OpenedLog {
  readonly source: LogSource;
  readonly trust: LogTrust;
  readonly log: LogReader;
  /** The folder of a recorder, with what lies beside the log; undefined for a bare log or an address. */
  readonly places: LogFolder | undefined;
  /** What was moved out of the log, as is said beside it. */
  readonly archived: readonly ArchivedRange[];
  /** States that keys of before signed, when the log went over to others. */
  readonly states: readonly { readonly size: number; readonly root: Uint8Array }[];
}

/** Where a log is, and what lies beside it. */
export async function placeOf(
  location: string,
): Promise<{ source: LogSource; places: LogFolder | undefined }> {
  if (/^https?:\/\//.test(location)) {
    const token = process.env.GLACIS_LOG_TOKEN;
    const headers = token ? { authorization: `Bearer ${token.trim()}` } : {};
    return { source: httpSource(location, headers), places: undefined };
  }
  const places = logFolder(location);
  if (await exists(join(places.log, 'checkpoint'))) return { source: folderSource(places.log), places };
  if (await exists(join(location, 'checkpoint')))
    return { source: folderSource(location), places: undefined };
  throw new GlacisError(
    'ledger/unreadable',
    `${location}: expected the folder of a log (with a checkpoint in it, or in its folder log), or an address`,
  );
}

/** Opens the log; follows rotations of keys from those that are trusted. Errors: `ledger/…`, `option/invalid`. */
export async function openFrom(given: Given, location: string): Promise<OpenedLog> {
  const { source, places } = await placeOf(location);
  const trusted = await trustFrom(given, places);
  const rotations = places ? await readRotations(places.rotations) : [];
  const { trust, states } = trustAfter(trusted, rotations);
  const log = await openLog(source, trust);
  for (const state of states) await log.extend(state);
  return { source, trust, log, places, states, archived: places ? await archivedRanges(places) : [] };
}

/** Whom to believe: `--trust`, or the file beside the log. */
export async function trustFrom(given: Given, places: LogFolder | undefined): Promise<LogTrust> {
  const file = given.text('trust') ?? places?.trustFile;
  if (file === undefined)
    throw new GlacisError('option/invalid', "--trust: expected the FILE with the log's keys, got nothing");
  const bytes = await readFile(file).catch((thrown) => {
    throw asGlacisError(thrown, 'ledger/unreadable', file);
  });
  return parseTrustFile(bytes, file);
}

/** The keys of subjects beside a log. Errors: `option/invalid` where there are none. */
export async function subjectsFrom(given: Given, places: LogFolder | undefined): Promise<SubjectKeys> {
  if (places === undefined)
    throw new GlacisError(
      'option/invalid',
      'log: expected the folder of a server, beside which the keys of subjects are',
    );
  const name = given.text('wrapping-key') ?? process.env.GLACIS_WRAPPING_KEY ?? `file:${places.wrappingKey}`;
  return subjectKeys(places.subjects, await openWrappingKey(name, process.env));
}

/** Opens who an entry is about, with `--reveal` and the keys beside the log. */
export async function revealFrom(given: Given, places: LogFolder | undefined): Promise<RevealWho> {
  if (!given.flag('reveal') || places === undefined) return async () => undefined;
  const keys = await subjectsFrom(given, places);
  const known = new Map<string, Uint8Array>();
  for await (const key of keys.all()) known.set(key.pseudonym, key.identity);
  return async (entry: DecisionEntry): Promise<Who | undefined> => {
    const key = known.get(entry.subject);
    if (key === undefined || typeof entry.who !== 'string') return undefined;
    const plain = openBytes(
      key,
      Buffer.from(entry.decision.id, 'hex'),
      'who',
      Buffer.from(entry.who, 'base64'),
    );
    return JSON.parse(plain.toString('utf8')) as Who;
  };
}

/** The index of an entry that is named by it or by its decision's id. Reads the log where it is an id. */
export async function entryIndex(
  { log, archived }: Pick<OpenedLog, 'log' | 'archived'>,
  text: string,
  signal: AbortSignal,
): Promise<number> {
  if (/^\d{1,16}$/.test(text)) return Number(text);
  if (!/^[0-9a-f]{32}$/.test(text))
    throw new GlacisError(
      'option/invalid',
      `'${text}': expected an index, or a decision's id of 32 hexadecimal digits`,
    );
  let index = firstEntry(archived);
  for await (const bytes of log.entries(index, signal)) {
    const entry = readEntry(bytes);
    if (entry?.schema === 'glacis.decision/1' && entry.decision.id === text) return index;
    index++;
  }
  throw new GlacisError('option/invalid', `${text}: expected the id of a decision in the log; there is none`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
