import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asGlacisError } from '../core/error.ts';
import { writeAtomically } from '../data/index.ts';
import { formatTrust, parseTrust, type Trust } from './trust.ts';

/**
 * What this machine remembers of a registry: whom it trusts, and the newest state it has seen. Without this nobody could notice that an older
 * state is shown, or another registry in its place.
 */
export interface Memory {
  /** The folder it is in. */
  readonly folder: string;
  trust(): Promise<Trust | undefined>;
  rememberTrust(trust: Trust): Promise<void>;
  /** The newest signed checkpoint seen. */
  checkpoint(): Promise<Uint8Array | undefined>;
  rememberCheckpoint(note: Uint8Array): Promise<void>;
}

/** Where memories are: below `GLACIS_REGISTRY_HOME`, `XDG_DATA_HOME` or `.local/share` of `home`. */
export function memoryHome(env: Readonly<Record<string, string | undefined>>, home: string): string {
  return (
    env.GLACIS_REGISTRY_HOME ||
    join(env.XDG_DATA_HOME || join(home, '.local', 'share'), 'glacis', 'registries')
  );
}

/** The memory of the registry at `location` (in its full form), in a folder for this user alone. Errors: `registry/invalid`, `output/unwritable`. */
export function memoryOf(home: string, location: string): Memory {
  const folder = join(home, createHash('sha256').update(location).digest('hex').slice(0, 24));
  const read = async (name: string): Promise<Uint8Array | undefined> => {
    try {
      return await readFile(join(folder, name));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw asGlacisError(thrown, 'registry/invalid', join(folder, name));
    }
  };
  const write = async (name: string, bytes: Uint8Array): Promise<void> => {
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch((thrown) => {
      throw asGlacisError(thrown, 'output/unwritable', folder);
    });
    await writeAtomically(join(folder, name), (put) => put(bytes), { mode: 0o600 });
  };
  return {
    folder,
    async trust() {
      const bytes = await read('trust.json');
      return bytes && parseTrust(bytes, join(folder, 'trust.json'));
    },
    rememberTrust: (trust) => write('trust.json', Buffer.from(formatTrust(trust))),
    checkpoint: () => read('checkpoint'),
    rememberCheckpoint: (note) => write('checkpoint', note),
  };
}
