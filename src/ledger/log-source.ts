import { GlacisError } from '../core/error.ts';
import { HAS_DESCRIPTORS, openBelow, type Refuse, readBelow } from '../core/open-below.ts';

/** Where the files of a log are read: a folder, a web server, an object store. What it gives is attacker-controlled. */
export interface LogSource {
  /** The folder that holds the files, where there is one: threads may then read it on their own. */
  readonly folder?: string | undefined;
  /**
   * The bytes of a file; `undefined` when it is not there. `path` is relative with `/` between its steps.
   * A file of more than `most` bytes is an error (`ledger/unreadable`), and is not read.
   */
  read(path: string, most: number): Promise<Uint8Array | undefined>;
}

/** Files that can only be this large, tiles and checkpoints, are read while the thread stands still: a proof reads some ten of them. */
const AT_ONCE = 1 << 18;

/** The files of a log in a folder. Links, pipes and devices in it are refused. Errors: `ledger/unreadable`. */
export function folderSource(folder: string): LogSource {
  return {
    folder,
    async read(path, most) {
      let absent = false;
      const refuse: Refuse = (reason, cause) => {
        absent = (cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
        const message = `${folder}/${path}: expected a plain file, but ${reason}`;
        return new GlacisError('ledger/unreadable', message, { cause });
      };
      const unlessAbsent = (thrown: unknown): undefined => {
        if (!absent) throw thrown;
      };
      if (HAS_DESCRIPTORS && most <= AT_ONCE) {
        let bytes: Uint8Array | undefined;
        try {
          bytes = readBelow(folder, path, refuse, most);
        } catch (thrown) {
          return unlessAbsent(thrown);
        }
        if (bytes === undefined) throw tooLarge(`${folder}/${path}`, most);
        return bytes;
      }
      const handle = await openBelow(folder, path, refuse).catch(unlessAbsent);
      if (handle === undefined) return undefined;
      try {
        const { size } = await handle.stat();
        if (size > most) throw tooLarge(`${folder}/${path}`, most);
        const bytes = Buffer.alloc(size);
        let done = 0;
        while (done < size) {
          const { bytesRead } = await handle.read(bytes, done, size - done, done);
          if (bytesRead === 0) break;
          done += bytesRead;
        }
        return bytes.subarray(0, done);
      } finally {
        await handle.close();
      }
    },
  };
}

/** The error for a file of a log that has more bytes than it may. */
export function tooLarge(where: string, most: number): GlacisError {
  return new GlacisError('ledger/unreadable', `${where}: expected at most ${most} bytes, got more`);
}
