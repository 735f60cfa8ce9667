import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { readCheckpoint } from './checkpoint-body.ts';
import { syncFolder } from './journal-store.ts';
import { folderStore } from './log-store.ts';
import { parseNote } from './note.ts';
import type { WitnessMemory } from './witness.ts';

/**
 * What a witness remembers, in a folder: the newest checkpoint of each log, as the log signed it. Errors: `ledger/unreadable` when a file is not what
 * was written, because a witness that cannot read its memory must not begin anew; `output/unwritable`.
 */
export async function folderMemory(folder: string): Promise<WitnessMemory & { close(): void }> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((thrown) => {
    throw asGlacisError(thrown, 'output/unwritable', folder);
  });
  const store = folderStore(folder);
  // Two witnesses with one memory would each overwrite what the other one promised.
  const unlock = await store.lock({ patience: 2000 });
  const nameOf = (origin: string) => `${createHash('sha256').update(origin).digest('hex')}.note`;
  return {
    async get(origin) {
      const path = join(folder, nameOf(origin));
      const bytes = await readFile(path).catch((thrown: NodeJS.ErrnoException) => {
        if (thrown.code === 'ENOENT') return undefined;
        throw asGlacisError(thrown, 'ledger/unreadable', path);
      });
      if (bytes === undefined) return undefined;
      const body = readCheckpoint(parseNote(bytes, path).text);
      if (body?.origin !== origin)
        throw new GlacisError(
          'ledger/unreadable',
          `${path}: expected the checkpoint of ${origin} that was cosigned last`,
        );
      return body;
    },
    async put(origin, _seen, note) {
      await store.write([{ path: nameOf(origin), bytes: note }]);
      await syncFolder(folder);
    },
    close: unlock,
  };
}
