import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog, folderSource, folderStore, openLog } from '../../ledger/index.ts';
import { logSigners, newLogKey } from '../../registry/log-key.ts';
import { localKey } from '../../supply/vault/wrapping-key.ts';
import { archivedRanges, archiveEntries, restoreEntries } from './archive.ts';
import { eventText } from './decision-text.ts';
import { EVENT_SCHEMA } from './entry-text.ts';
import { logFolder } from './log-folder.ts';

/** A disk that gives back something else than was written, where that is set. */
const disk = vi.hoisted(() => ({ gives: undefined as (() => Iterable<Buffer>) | undefined }));
vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  const createReadStream = (path: string) =>
    disk.gives ? Readable.from(disk.gives()) : real.createReadStream(path);
  return { ...real, createReadStream };
});

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-archive-'));
});
afterEach(async () => {
  disk.gives = undefined;
  await rm(folder, { recursive: true, force: true });
});

const origin = 'example.com/decisions';
const signers = logSigners(Buffer.from(newLogKey()), origin, 'key');
const places = () => logFolder(folder);
const file = () => join(folder, 'old.archive');
const bundle = () => join(places().log, 'tile/entries/000');
const opened = () => openLog(folderSource(places().log), { origin, keys: signers });
const archive = (before: number, more: Partial<Parameters<typeof archiveEntries>[2]> = {}) =>
  archiveEntries(places(), { origin, signers }, { before, file: file(), by: 'x', now: () => 5, ...more });

/** A log of `count` entries, of which bundles of 256 can be archived. */
async function logOf(count: number): Promise<void> {
  const writer = await createLog(folderStore(places().log), { origin, signers, now: () => new Date(5) });
  const entries = Array.from({ length: count }, (_, at) => {
    const body = eventText({ kind: 'event', at, event: 'e', by: 'x', about: {} });
    return Buffer.from(`{"event":${body},"schema":"${EVENT_SCHEMA}"}`);
  });
  await writer.appendAll(entries);
  await writer.close();
}

describe('an archive of a log', () => {
  it('holds whole bundles that are not archived yet, and there must be one', async () => {
    await logOf(300);
    for (const before of [0, 255])
      await expect(archive(before)).rejects.toMatchObject({ code: 'option/invalid' });
    await expect(access(file())).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await archive(300)).toMatchObject({ from: 0, to: 256 });
    await expect(archive(300)).rejects.toMatchObject({
      code: 'option/invalid',
      message: expect.stringContaining('at least 256 above 256'),
    });
  });

  it('is read back before anything of the log is removed', async () => {
    await logOf(300);
    disk.gives = () => [Buffer.from('something else')];
    await expect(archive(300)).rejects.toMatchObject({
      code: 'output/unwritable',
      message: expect.stringContaining('to be read back'),
    });
    await access(bundle());
    expect(await archivedRanges(places())).toEqual([]);
    expect((await opened()).checkpoint.size).toBe(300);
  });

  it('that is encrypted needs its key', async () => {
    await logOf(300);
    const wrapping = localKey(Buffer.alloc(32, 1));
    await archive(300, { wrapping });
    await expect(restoreEntries(places(), await opened(), file(), undefined)).rejects.toMatchObject({
      code: 'vault/key',
      message: expect.stringContaining('--wrapping-key'),
    });
    expect(await restoreEntries(places(), await opened(), file(), wrapping)).toMatchObject({ to: 256 });
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['less than was archived', (bytes) => bytes.subarray(0, bytes.readUInt32BE() + 4)],
    ['a part of a bundle behind it', (bytes) => Buffer.concat([bytes, Buffer.from([0, 0])])],
    ['a bundle more', (bytes) => Buffer.concat([bytes, bytes.subarray(0, bytes.readUInt32BE() + 4)])],
  ])('with %s is not what was archived', async (_, change) => {
    await logOf(600);
    await archive(512);
    const bytes = await readFile(file());
    await writeFile(file(), change(bytes));
    await expect(restoreEntries(places(), await opened(), file(), undefined)).rejects.toMatchObject({
      code: 'ledger/untrusted',
      message: expect.stringContaining('the entries that were archived, and nothing else'),
    });
    expect(await archivedRanges(places())).toHaveLength(1);
    // Nothing is put behind what was archived.
    await expect(access(join(places().log, 'tile/entries/002'))).rejects.toMatchObject({ code: 'ENOENT' });
    await writeFile(file(), bytes);
    await restoreEntries(places(), await opened(), file(), undefined);
    expect(await archivedRanges(places())).toEqual([]);
  });

  it('that claims to be without end is not read to its end', async () => {
    await logOf(300);
    await archive(300);
    let read = 0;
    disk.gives = function* () {
      for (; read < 1000; read++) yield Buffer.alloc(1 << 16, 0xff);
    };
    await expect(restoreEntries(places(), await opened(), file(), undefined)).rejects.toMatchObject({
      code: 'ledger/untrusted',
    });
    // Beside those that the stream asked for ahead.
    expect(read).toBeLessThan(100);
  });

  it('of another log is refused, and so is a list of archives that is none', async () => {
    await logOf(300);
    await archive(300);
    await expect(
      restoreEntries(places(), await opened(), join(folder, 'other'), undefined),
    ).rejects.toMatchObject({ code: 'option/invalid' });
    await writeFile(places().archived, '{"schema":"glacis.log.archived/1"}');
    await expect(archivedRanges(places())).rejects.toMatchObject({ code: 'ledger/unreadable' });
  });
});
