import { lstat, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { auditLog, folderSource, openLog } from '../../ledger/index.ts';
import type { PostgresConfig, SqliteConfig } from '../../store/index.ts';
import { openStore, restoreStore } from '../../store/index.ts';
import { signOutAll } from '../console/sign-out-all.ts';
import { logFolder, parseTrustFile } from '../record/log-folder.ts';
import { BACKUP, type BackupFile, type BackupManifest, parseManifest } from './backup-folder.ts';
import { copyFile } from './copy-file.ts';

/** Bytes of a manifest that are read. */
const MOST_MANIFEST = 1 << 30;

/** What is restored, and where. */
export interface RestoreRequest {
  readonly from: string;
  /** A folder that is not there, or is empty. */
  readonly data: string;
  /** Where the store is to be: a file that is not there, a database without tables. */
  readonly store: SqliteConfig | PostgresConfig;
  /** The log's trust file as it was kept elsewhere; the one in the backup without: whoever could write to the backup could exchange both. */
  readonly trust?: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a data folder and a store from a backup. Every file is compared with the backup's own list and the log is verified before this resolves; what is damaged leaves the
 * place empty. Nobody is signed in to its console: sessions and links of then would come to life again. Errors: `store/unusable`, `ledger/…`, `output/unwritable`, those of the store.
 */
export async function restoreData({
  from,
  data,
  store,
  trust,
  now,
  signal,
}: RestoreRequest): Promise<BackupManifest> {
  const [source, target] = [resolve(from), resolve(data)];
  const there = await readdir(target).catch(() => []);
  if (there.length > 0)
    throw new GlacisError('output/unwritable', `${target}: expected an empty folder, or none`);
  const path = join(source, BACKUP.manifest);
  const size = (await lstat(path).catch(() => undefined))?.size;
  if (size === undefined || size > MOST_MANIFEST)
    throw new GlacisError('store/unusable', `${source}: expected a folder that glacis backup wrote`);
  const manifest = parseManifest(await readFile(path, 'utf8'));
  try {
    await mkdir(target, { recursive: true, mode: 0o700 });
    for (const file of manifest.files)
      await restored(file, join(source, BACKUP.data, file.path), join(target, file.path), signal);
    const places = logFolder(join(target, 'record'));
    await copyTree(join(source, BACKUP.data, 'record', 'log'), places.log, signal);
    await copyFile(join(source, BACKUP.data, 'record', 'log.seen'), places.seenFile, 'log.seen', signal);
    const trustFile = trust ?? places.trustFile;
    const tiles = folderSource(places.log);
    const log = await openLog(tiles, parseTrustFile(await readFile(trustFile), trustFile));
    await auditLog(log, tiles, { signal });
    const { checkpoint } = log;
    if (
      checkpoint.size !== manifest.log.size ||
      Buffer.from(checkpoint.root).toString('base64') !== manifest.log.root
    )
      throw new GlacisError(
        'store/unusable',
        `${source}: expected the log that the backup names, got another`,
      );
    const held = join(target, `${BACKUP.store}.unfinished`);
    await restored(manifest.store, join(source, BACKUP.store), held, signal);
    try {
      await restoreStore(held, store);
      await signOut(store, now());
    } finally {
      await rm(held, { force: true });
    }
    return manifest;
  } catch (thrown) {
    await rm(target, { recursive: true, force: true }).catch(() => {});
    throw asGlacisError(thrown, 'store/unusable', 'restore');
  }
}

/** The store as this version has it, without anybody signed in. */
async function signOut(place: RestoreRequest['store'], at: number): Promise<void> {
  const store = await openStore(place);
  try {
    await signOutAll(store, at, 'glacis restore');
  } finally {
    await store.close();
  }
}

async function restored(
  file: BackupFile,
  from: string,
  to: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const got = await copyFile(from, to, file.path, signal);
  if (got.bytes !== file.bytes || got.digest !== file.digest)
    throw new GlacisError(
      'store/unusable',
      `${file.path}: expected the file that was backed up, got another`,
    );
}

/** The files of the log: what is in them is verified afterwards. */
async function copyTree(from: string, to: string, signal: AbortSignal | undefined): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [inner, outer] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(inner, outer, signal);
    else await copyFile(inner, outer, entry.name, signal);
  }
}
