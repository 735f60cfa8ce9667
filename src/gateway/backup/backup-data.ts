import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { throwIfCancelled } from '../../core/cancel.ts';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { auditLog, folderSource, openLog, tilePath } from '../../ledger/index.ts';
import { backupStore, type Store } from '../../store/index.ts';
import { logFolder, parseTrustFile } from '../record/log-folder.ts';
import { BACKUP, type BackupFile, type BackupManifest, isLeftOut } from './backup-folder.ts';
import { copyFile } from './copy-file.ts';

/** How often the log is copied again where it went on while it was copied, so that a piece is missing. */
const MOST_TRIES = 5;

/** What is backed up. */
export interface BackupRequest {
  /** The gateway's data folder. */
  readonly data: string;
  /** Its store, open; nothing of it is changed. */
  readonly store: Store;
  /** The store's own file, where it is one: it is not copied a second time. */
  readonly storeFile?: string | undefined;
  /** A new folder. */
  readonly out: string;
  /** Whether the store is written in the form that either engine takes. */
  readonly portable?: boolean | undefined;
  readonly now: () => number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Copies a data folder and its store into a new folder while the gateway runs: the store first, then the log, so that what the store speaks of is in the log. The copy of the
 * log is verified, entry by entry; what was acknowledged after it began is not in it. The folder gets its name only when everything is in it. It holds every secret of the
 * gateway. Errors: `output/unwritable`, `ledger/…` for a log that is not whole, those of the store.
 */
export async function backupData(request: BackupRequest): Promise<BackupManifest> {
  const { store, portable, now, signal } = request;
  const [data, out] = [resolve(request.data), resolve(request.out)];
  const unfinished = `${out}.unfinished`;
  if ((await lstat(out).catch(() => undefined)) !== undefined)
    throw new GlacisError('output/unwritable', `${out}: expected a new folder, got one that is there`);
  try {
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true, mode: 0o700 });
    const at = new Date(now()).toISOString();
    await backupStore(store, join(unfinished, BACKUP.store), { portable: portable === true, now });
    const storeFile = await digestOf(join(unfinished, BACKUP.store), BACKUP.store, signal);
    const copied = join(unfinished, BACKUP.data);
    const log = await copyLog(data, copied, signal);
    const files: BackupFile[] = [];
    for await (const path of filesBelow(data, '')) {
      throwIfCancelled(signal, 'backup');
      if (isLeftOut(path) || path.startsWith('record/log/')) continue;
      if (request.storeFile !== undefined && join(data, path).startsWith(resolve(request.storeFile)))
        continue;
      const file = await copyFile(join(data, path), join(copied, path), path, signal).catch((thrown) => {
        // Files come and go while the gateway runs.
        if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw thrown;
      });
      if (file !== undefined) files.push(file);
    }
    const manifest: BackupManifest = { schema: 'glacis.backup/1', at, store: storeFile, log, files };
    await writeFile(join(unfinished, BACKUP.manifest), `${JSON.stringify(manifest, null, 1)}\n`, {
      mode: 0o600,
      flush: true,
    });
    await rename(unfinished, out);
    return manifest;
  } catch (thrown) {
    await rm(unfinished, { recursive: true, force: true }).catch(() => {});
    throw asGlacisError(thrown, 'output/unwritable', 'backup');
  }
}

/**
 * Copies the log: its signed state first, at once the tiles that are not full yet (the next state has others in their place), then everything else, which never changes.
 * What is missing then was replaced while it was copied: once more from the newest state, with what is there already.
 */
async function copyLog(
  data: string,
  copied: string,
  signal: AbortSignal | undefined,
): Promise<BackupManifest['log']> {
  const places = logFolder(join(data, 'record'));
  const target = logFolder(join(copied, 'record'));
  const copy = async (path: string): Promise<void> => {
    try {
      await copyFile(join(places.log, path), join(target.log, path), path, signal);
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      // Gone by now, or copied before.
      if (code !== 'ENOENT' && code !== 'EEXIST') throw thrown;
    }
  };
  const trust = parseTrustFile(await readFile(places.trustFile), places.trustFile);
  for (let tries = 1; ; tries++) {
    try {
      await rm(join(target.log, 'checkpoint'), { force: true });
      await copy('checkpoint');
      const source = folderSource(target.log);
      const log = await openLog(source, trust);
      const { origin, size, root, note } = log.checkpoint;
      for (const path of partialTiles(size)) await copy(path);
      for await (const path of filesBelow(places.log, '')) {
        throwIfCancelled(signal, 'backup');
        if (path === 'checkpoint' || isLeftOut(`record/log/${path}`) || /\.p\//.test(path)) continue;
        await copy(path);
      }
      await auditLog(log, source, { signal });
      // What this machine remembers of the log goes with the copy of it.
      await writeFile(target.seenFile, note, { mode: 0o600, flush: true });
      return { origin, size, root: Buffer.from(root).toString('base64') };
    } catch (thrown) {
      throwIfCancelled(signal, 'backup');
      if (tries >= MOST_TRIES) throw thrown;
    }
  }
}

/** The tiles of a log of this size that are not full (C2SP tlog-tiles: 256 hashes a tile, 256 entries a bundle). */
function partialTiles(size: number): readonly string[] {
  const paths: string[] = [];
  for (let level = 0, n = size; n > 0; level++, n = Math.floor(n / 256)) {
    const [index, width] = [Math.floor(n / 256), n % 256];
    if (width === 0) continue;
    paths.push(tilePath({ level, index, width }));
    if (level === 0) paths.push(tilePath({ level: 'entries', index, width }));
  }
  return paths;
}

async function digestOf(file: string, path: string, signal: AbortSignal | undefined): Promise<BackupFile> {
  const copy = `${file}.tmp`;
  try {
    return await copyFile(file, copy, path, signal);
  } finally {
    await rm(copy, { force: true });
  }
}

/** Plain files below a folder, as paths with `/`. Links and the rest are passed over. */
async function* filesBelow(folder: string, prefix: string): AsyncGenerator<string> {
  const entries = await readdir(join(folder, prefix), { withFileTypes: true }).catch((thrown) => {
    // Folders come and go while the gateway runs.
    if (thrown.code === 'ENOENT' && prefix !== '') return [];
    throw thrown;
  });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(folder, path);
    else if (entry.isFile()) yield path;
  }
}
