import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { syncFolder } from '../../ledger/journal-store.ts';

/** Where a sealed payload lies; this is what the log says of it. */
export interface PayloadPlace {
  /** `FILE:POSITION`. */
  readonly at: string;
  readonly bytes: number;
  /** Hexadecimal SHA-256 of the sealed bytes. */
  readonly digest: string;
}

/** A file of payloads that was removed. */
export interface RemovedPayloads {
  readonly file: string;
  readonly bytes: number;
  readonly because: 'age' | 'size';
}

/** Sealed payloads in files that only grow, and go as a whole when their time has come. */
export interface PayloadStore {
  /** Appends payloads; they are on the disk when this returns. Errors: `output/unwritable`. */
  append(sealed: readonly Uint8Array[]): Promise<readonly PayloadPlace[]>;
  /** Removes files that are too old, and the oldest ones when all are too large. */
  sweep(): Promise<readonly RemovedPayloads[]>;
  close(): Promise<void>;
}

/** A file is closed at this size or age, so that removing files follows retention closely. */
const MOST_FILE_BYTES = 256 << 20;
const MOST_FILE_AGE = 86_400_000;
const NAME = /^(\d{13})\.payloads$/;

/** The files in a folder, named after the millisecond in which they were begun. */
export async function openPayloads(
  folder: string,
  { retention, most, now }: { readonly retention: number; readonly most: number; readonly now: () => number },
): Promise<PayloadStore> {
  let current: { handle: FileHandle; name: string; begun: number; size: number } | undefined;
  const unwritable = (thrown: unknown) => asGlacisError(thrown, 'output/unwritable', folder);
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((thrown) => {
    throw unwritable(thrown);
  });
  const names = async () => (await readdir(folder)).filter((name) => NAME.test(name)).sort();
  const begin = async () => {
    const newest = Number(NAME.exec((await names()).at(-1) ?? '')?.[1] ?? 0);
    const begun = Math.max(Math.floor(now()), newest + 1);
    const name = `${String(begun).padStart(13, '0')}`;
    const path = join(folder, `${name}.payloads`);
    const handle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    await syncFolder(folder);
    return { handle, name, begun, size: 0 };
  };
  /** One thing after the other: a file is not closed while it is written. */
  let turn: Promise<unknown> = Promise.resolve();
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => {});
    return done;
  };
  const endIfDone = async () => {
    if (!current || (current.size <= MOST_FILE_BYTES && now() - current.begun <= MOST_FILE_AGE)) return;
    await current.handle.close();
    current = undefined;
  };
  return {
    append: (sealed) =>
      alone(async () => {
        try {
          await endIfDone();
          current ??= await begin();
          const file = current;
          const places = sealed.map((bytes) => {
            const at = `${file.name}:${file.size}`;
            file.size += bytes.length;
            return { at, bytes: bytes.length, digest: createHash('sha256').update(bytes).digest('hex') };
          });
          const all = Buffer.concat(sealed);
          for (let done = 0; done < all.length; )
            done += (await file.handle.write(all, done, all.length - done)).bytesWritten;
          await file.handle.datasync();
          return places;
        } catch (thrown) {
          // Nobody knows what is in the file now: what comes goes into another one.
          const file = current;
          current = undefined;
          await file?.handle.close().catch(() => {});
          throw unwritable(thrown);
        }
      }),
    sweep: () =>
      alone(async () => {
        await endIfDone();
        const removed: RemovedPayloads[] = [];
        const files = [];
        for (const name of await names()) {
          const { size, mtimeMs } = await stat(join(folder, name));
          files.push({ name, size, newest: mtimeMs });
        }
        let total = files.reduce((sum, { size }) => sum + size, 0);
        for (const { name, size, newest } of files) {
          if (name === `${current?.name}.payloads`) continue;
          const because = newest < now() - retention ? 'age' : total > most ? 'size' : undefined;
          if (because === undefined) continue;
          await rm(join(folder, name));
          total -= size;
          removed.push({ file: name, bytes: size, because });
        }
        return removed;
      }),
    async close() {
      await turn;
      await current?.handle.close();
    },
  };
}

/** Reads a sealed payload and checks its digest. Errors: `vault/unreadable`, also when its time had come. */
export async function readPayload(folder: string, { at, bytes, digest }: PayloadPlace): Promise<Buffer> {
  const [, name = '', position = ''] = /^(\d{13}):(\d{1,15})$/.exec(at) ?? [];
  const unreadable = (what: string) => new GlacisError('vault/unreadable', `payload ${at}: ${what}`);
  if (name === '' || bytes > 2 ** 31) throw unreadable('expected a place of a payload');
  const handle = await open(join(folder, `${name}.payloads`), 'r').catch(() => {
    throw unreadable('its file is gone; payloads are kept for a while only');
  });
  try {
    const sealed = Buffer.alloc(bytes);
    const { bytesRead } = await handle.read(sealed, 0, bytes, Number(position));
    if (bytesRead !== bytes || createHash('sha256').update(sealed).digest('hex') !== digest)
      throw unreadable('expected the bytes that the log names; they were changed');
    return sealed;
  } finally {
    await handle.close();
  }
}
