import { constants, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { writeAll } from './write-all.ts';

/** A segment of the journal that is being written. */
export interface JournalFile {
  /** Adds bytes; they are safe from a power failure when this resolves, or when it gives undefined. One call at a time. */
  append(bytes: Uint8Array): Promise<void> | undefined;
  close(): Promise<void>;
}

/** Records up to this many bytes may block the thread: the disk takes less time than a call on another thread and back. */
const SHORT = 64 << 10;
/** Room is made so many bytes at a time, as soon as less than half of that is left; not for long records, which would wait for it. */
const ROOM = 1 << 20;
const NOFOLLOW = constants.O_NOFOLLOW ?? 0;
/** Linux writes and flushes in one call. macOS would leave the bytes in the drive's memory; Windows has no such call. */
const WRITES_THROUGH = process.platform === 'linux';

/**
 * An empty segment in place of whatever is at `path`; that the file is there is not flushed yet.
 *
 * Records are written into room that was filled with zeros before: a flush then says nothing about the file's length and place, and waits for no tiles that are on their way to
 * the disk (ext4: 0.14 in place of 0.25 ms).
 *
 * @param mayBlock whether the thread has nothing better to do than to stand still for a short record
 */
export async function openJournalFile(path: string, mayBlock: boolean): Promise<JournalFile> {
  // Entries are in it before they are public anywhere: nobody else needs to read them here.
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | NOFOLLOW;
  const ahead = await open(path, flags, 0o600);
  let file: FileHandle = ahead;
  const zeros = new Uint8Array(ROOM);
  /** Where the next record goes, and where the room for it ends. */
  let at = 0;
  let end = 0;
  let making: Promise<void> | undefined;
  const makeRoom = async (from: number): Promise<void> => {
    await writeAll(ahead, zeros, from);
    await ahead.datasync();
    end = from + zeros.length;
  };
  const put = async (bytes: Uint8Array, from: number): Promise<void> => {
    await writeAll(file, bytes, from);
    if (!WRITES_THROUGH) await file.datasync();
  };
  const close = async (): Promise<void> => {
    await making;
    await ahead.close();
    if (file !== ahead) await file.close();
  };
  try {
    if (WRITES_THROUGH) file = await open(path, constants.O_WRONLY | NOFOLLOW | constants.O_DSYNC);
    await makeRoom(0);
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return {
    append(bytes) {
      const from = at;
      at += bytes.length;
      const isShort = bytes.length <= SHORT;
      // Zeros that are on their way must not come after what belongs there.
      const waits = at > end ? making : undefined;
      if (isShort && making === undefined && at + ROOM / 2 > end)
        making = makeRoom(Math.max(end, at))
          // Nobody was promised room: the next record makes the file longer, or fails by itself.
          .catch(() => {})
          .finally(() => {
            making = undefined;
          });
      if (waits) return waits.then(() => put(bytes, from));
      if (!(WRITES_THROUGH && mayBlock && isShort)) return put(bytes, from);
      for (let done = 0; done < bytes.length; )
        done += writeSync(file.fd, bytes, done, bytes.length - done, from + done);
      return undefined;
    },
    close,
  };
}
