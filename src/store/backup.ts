import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { sql } from 'kysely';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { openStore, type Store, type StorePlace } from './open-store.ts';
import { isPortable, readPortable, writePortable } from './portable.ts';

/** What a backup is called until it is whole. */
const UNFINISHED = '.unfinished';

/**
 * Writes a backup of a store that is in use to a new file: of SQLite a database file, of PostgreSQL (and of both with `portable`) the
 * portable form, from which either engine can be restored. It is what the store held at one moment, and on the disk when this resolves.
 * The portable form leaves out the index of the log, which is built again from the log. Errors: `output/unwritable`, those of the store.
 */
export async function backupStore(
  store: Store,
  path: string,
  options: { readonly portable?: boolean; readonly now?: () => number } = {},
): Promise<void> {
  const file = resolve(path);
  const unfinished = `${file}${UNFINISHED}`;
  try {
    // A file that is there is not written over, neither now nor when the backup gets its name.
    closeSync(openSync(file, 'wx', 0o600));
  } catch (thrown) {
    throw asGlacisError(thrown, 'output/unwritable', 'backup');
  }
  try {
    rmSync(unfinished, { force: true });
    closeSync(openSync(unfinished, 'wx', 0o600));
    if (store.engine === 'sqlite' && options.portable !== true)
      await sql`vacuum into ${unfinished}`.execute(store.reader);
    else await writePortable(store, unfinished, options.now ?? Date.now);
    chmodSync(unfinished, 0o600);
    syncPath(unfinished);
    renameSync(unfinished, file);
    syncPath(dirname(file));
  } catch (thrown) {
    rmSync(unfinished, { force: true });
    rmSync(file, { force: true });
    throw asGlacisError(thrown, 'output/unwritable', 'backup');
  }
}

/**
 * Makes a store from a backup and brings it to the present version. The place must be empty: a file that is not there, a database without
 * tables. Query budgets are as they were when the backup was made: what was used since is forgotten. Errors: `store/unusable` where the backup
 * is damaged, no backup, or of a newer Glacis; `output/unwritable`; those of the store.
 */
export async function restoreStore(path: string, place: StorePlace): Promise<void> {
  if (await isPortable(path)) {
    await readPortable(path, place);
    return;
  }
  if (place.kind !== 'sqlite')
    throw new GlacisError(
      'store/unusable',
      `restore: expected a portable backup for PostgreSQL, got a file of SQLite: restore it to a file first, and make a portable backup of that`,
    );
  const file = resolve(place.file);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    copyFileSync(path, file, constants.COPYFILE_EXCL);
    chmodSync(file, 0o600);
  } catch (thrown) {
    throw asGlacisError(thrown, 'output/unwritable', 'restore');
  }
  try {
    const store = await openStore(place);
    try {
      // Attacker-controlled where the backup comes from elsewhere: a trigger could undo what is written later.
      const others = await sql`select name from sqlite_master where type in ('trigger', 'view')`.execute(
        store.db,
      );
      if (others.rows.length > 0)
        throw new GlacisError('store/unusable', 'restore: expected a backup without triggers and views');
      const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check(1)`.execute(store.db);
      if (rows[0]?.integrity_check !== 'ok')
        throw new GlacisError(
          'store/unusable',
          `restore: expected a whole backup, got ${rows[0]?.integrity_check}`,
        );
    } finally {
      await store.close();
    }
    syncPath(file);
    syncPath(dirname(file));
  } catch (thrown) {
    for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
    throw thrown;
  }
}

function syncPath(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
