import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { writeAtomically } from '../../data/atomic-write.ts';
import {
  folderSource,
  folderStore,
  type LogReader,
  type LogSource,
  type LogWriter,
  type NoteSigner,
  openWriter,
  readLog,
  tilePath,
} from '../../ledger/index.ts';
import { seal, unseal } from '../../supply/vault/seal.ts';
import { openKey, parseSealedKey, sealKey } from '../../supply/vault/sealed-key.ts';
import type { WrappingKey } from '../../supply/vault/wrapping-key.ts';
import { eventText } from './decision-text.ts';
import { EVENT_SCHEMA } from './entry-text.ts';
import { type LogFolder, readIfThere } from './log-folder.ts';
import { readEntry } from './read-entry.ts';

/** Entries of a bundle. */
const BUNDLE = 256;
const MOST_BUNDLE = 256 * 65_537;
const ARCHIVED = 'entries-archived';

const shape = z.strictObject({
  schema: z.literal('glacis.log.archived/1'),
  ranges: z
    .array(
      z.strictObject({
        from: z.int().min(0),
        to: z.int().min(1),
        entry: z.int().min(0),
        file: z.string().max(255),
      }),
    )
    .max(10_000),
});

/** Entries that were moved out of a log into an archive. Their hashes stay. */
export type ArchivedRange = z.infer<typeof shape>['ranges'][number];

/** What is said to be archived of a log; whether it is true, the log's entries say ({@link confirmArchived}). Errors: `ledger/unreadable`. */
export async function archivedRanges(places: LogFolder): Promise<readonly ArchivedRange[]> {
  const bytes = await readIfThere(places.archived);
  if (bytes === undefined) return [];
  try {
    return shape.parse(JSON.parse(bytes.toString('utf8'))).ranges;
  } catch (cause) {
    throw new GlacisError('ledger/unreadable', `${places.archived}: expected a list of archived entries`, {
      cause,
    });
  }
}

/** The first entry that is not archived. */
export function firstEntry(ranges: readonly ArchivedRange[]): number {
  return Math.max(0, ...ranges.map(({ to }) => to));
}

/** Whether the log itself says that these entries were archived. Errors: those of reading the log. */
export async function confirmArchived(log: LogReader, { from, to, entry }: ArchivedRange): Promise<boolean> {
  if (entry >= log.checkpoint.size || to > entry) return false;
  const found = readEntry(await log.entry(entry));
  if (found?.schema !== 'glacis.event/1' || found.event.event !== ARCHIVED) return false;
  return found.event.about.from === from && found.event.about.to === to;
}

/** How entries are archived. */
export interface ArchiveRequest {
  /** Entries below this go, as far as their bundles are full. */
  readonly before: number;
  /** A new file, on any disk. */
  readonly file: string;
  readonly by: string;
  readonly now: () => number;
  /** Encrypts the archive; its key, wrapped, is beside it. */
  readonly wrapping?: WrappingKey | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Moves the oldest entries of a log that no server has open into one file, and records that in the log. The tiles of hashes stay: proofs and `verify` go
 * on as before, but that archived entries themselves are not looked at. Nothing is removed before the archive was read back. A crash leaves
 * at worst entries in both places. Errors: `option/invalid` where there is nothing to archive, `ledger/…`, `output/unwritable`, `vault/…`.
 */
export async function archiveEntries(
  places: LogFolder,
  { origin, signers }: { readonly origin: string; readonly signers: readonly NoteSigner[] },
  request: ArchiveRequest,
): Promise<ArchivedRange> {
  const { before, file, by, now, wrapping, signal } = request;
  const store = folderStore(places.log);
  await using writer: LogWriter = await openWriter(
    store,
    { origin, signers, now: () => new Date(now()) },
    { signal, patience: 2000 },
  );
  const source = folderSource(places.log);
  const log = readLog(source, writer.checkpoint);
  const ranges = await archivedRanges(places);
  const from = firstEntry(ranges);
  const to = Math.floor(Math.min(before, log.checkpoint.size) / BUNDLE) * BUNDLE;
  if (to <= from)
    throw new GlacisError(
      'option/invalid',
      `--before: expected an entry at least ${BUNDLE} above ${from}, the first that is not archived yet, got ${before}`,
    );
  const hash = createHash('sha256');
  let size = 0;
  for await (const part of bundles(log, from, to, signal)) {
    hash.update(part);
    size += part.length;
  }
  const digest = hash.digest();
  const key = wrapping && randomBytes(32);
  const plain = () => bundles(log, from, to, signal);
  const stored = createHash('sha256');
  let storedSize = 0;
  await writeAtomically(
    file,
    async (write) => {
      for await (const part of key ? seal(key, digest, plain()) : plain()) {
        stored.update(part);
        storedSize += part.length;
        await write(part);
      }
    },
    { mode: 0o600 },
  );
  if (wrapping && key) {
    const text = (bytes: Uint8Array) => `sha256:${Buffer.from(bytes).toString('hex')}`;
    const blobs = {
      plain: { digest: text(digest), size },
      stored: { digest: text(stored.digest()), size: storedSize },
    };
    const record = JSON.stringify(await sealKey(wrapping, key, blobs));
    await writeAtomically(`${file}.key`, (write) => write(Buffer.from(`${record}\n`)), { mode: 0o600 });
  }
  const back = createHash('sha256');
  for await (const part of readArchive(file, wrapping)) back.update(part);
  if (!back.digest().equals(digest))
    throw new GlacisError(
      'output/unwritable',
      `${file}: expected what was written to be read back; it is something else`,
    );
  const about = {
    from,
    to,
    digest: `sha256:${digest.toString('hex')}`,
    file: basename(file),
    sealed: key !== undefined,
  };
  const body = eventText({ kind: 'event', at: now(), event: ARCHIVED, by, about });
  const entry = await writer.append(Buffer.from(`{"event":${body},"schema":"${EVENT_SCHEMA}"}`));
  const range = { from, to, entry, file: basename(file) };
  await writeRanges(places, [...ranges, range]);
  for (let at = from; at < to; at += BUNDLE) await store.remove(bundlePath(at));
  return range;
}

/**
 * Puts archived entries back into a log. Each bundle is verified against the signed root before it counts. `file` is attacker-controlled.
 * Errors: `ledger/untrusted` when it is not what was archived, `ledger/unreadable`, `vault/…`.
 */
export async function restoreEntries(
  places: LogFolder,
  log: LogReader,
  file: string,
  wrapping: WrappingKey | undefined,
): Promise<ArchivedRange> {
  const ranges = await archivedRanges(places);
  const range = ranges.find((each) => each.file === basename(file));
  if (range === undefined)
    throw new GlacisError(
      'option/invalid',
      `${file}: expected an archive of this log, which has ${ranges.length}`,
    );
  const store = folderStore(places.log);
  let at = range.from;
  let waiting: Buffer = Buffer.alloc(0);
  for await (const part of readArchive(file, wrapping)) {
    waiting = Buffer.concat([waiting, part]);
    while (waiting.length >= 4 && waiting.length >= 4 + waiting.readUInt32BE()) {
      const bytes = waiting.subarray(4, 4 + waiting.readUInt32BE());
      if (at >= range.to) throw unlike(file);
      const path = bundlePath(at);
      const source = withFile(folderSource(places.log), path, Buffer.from(bytes));
      await readLog(source, log.checkpoint).entry(at);
      await store.write([{ path, bytes }]);
      at += BUNDLE;
      waiting = waiting.subarray(4 + bytes.length);
    }
    if (waiting.length > 4 && waiting.readUInt32BE() > MOST_BUNDLE) throw unlike(file);
  }
  if (at !== range.to || waiting.length > 0) throw unlike(file);
  await writeRanges(
    places,
    ranges.filter((each) => each !== range),
  );
  return range;
}

/** The bundles of a range, each with its length in front. */
async function* bundles(
  log: LogReader,
  from: number,
  to: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let index = from;
  for await (const entry of log.entries(from, signal)) {
    if (index === to) return;
    const length = Buffer.alloc(2);
    length.writeUInt16BE(entry.length);
    parts.push(length, Buffer.from(entry));
    if (++index % BUNDLE !== 0) continue;
    const bundle = Buffer.concat(parts);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(bundle.length);
    parts = [];
    yield Buffer.concat([head, bundle]);
  }
}

async function* readArchive(file: string, wrapping: WrappingKey | undefined): AsyncGenerator<Uint8Array> {
  const record = await readIfThere(`${file}.key`);
  if (record === undefined) {
    yield* createReadStream(file);
    return;
  }
  if (wrapping === undefined)
    throw new GlacisError('vault/key', `${file}: expected --wrapping-key, because the archive is encrypted`);
  const sealed = parseSealedKey(record, `${file}.key`);
  const digest = Buffer.from(sealed.plain.digest.slice('sha256:'.length), 'hex');
  yield* unseal(await openKey(wrapping, sealed), digest, createReadStream(file), file);
}

async function writeRanges(places: LogFolder, ranges: readonly ArchivedRange[]): Promise<void> {
  const text = `${JSON.stringify({ schema: 'glacis.log.archived/1', ranges }, null, 2)}\n`;
  await writeAtomically(places.archived, (write) => write(Buffer.from(text)));
}

function bundlePath(entry: number): string {
  return tilePath({ level: 'entries', index: entry / BUNDLE, width: BUNDLE });
}

function withFile(source: LogSource, path: string, bytes: Uint8Array): LogSource {
  return { read: async (wanted, most) => (wanted === path ? bytes : source.read(wanted, most)) };
}

function unlike(file: string): GlacisError {
  return new GlacisError(
    'ledger/untrusted',
    `${file}: expected the entries that were archived, and nothing else`,
  );
}
