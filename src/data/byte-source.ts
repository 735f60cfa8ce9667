import { createHash } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { throwIfCancelled } from '../core/cancel.ts';
import { asGlacisError, GlacisError } from '../core/error.ts';

/** Bytes that can be read at any place: an open file, a part of one, or memory. */
export interface ByteSource {
  /** Size in bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`; throws `data/unreadable` when they are not all there. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** As {@link read}, into memory that is there, where the source can: new memory costs more than what is copied into it. */
  readInto?(offset: number, target: Uint8Array): Promise<void>;
  /** Lets go of the file; reading afterwards is an error. */
  close(): Promise<void>;
}

const CHUNK = 1 << 20;

/** Opens the regular file `path` for reading by position. Errors: `data/unreadable`. */
export async function openFile(path: string): Promise<ByteSource> {
  let handle: FileHandle | undefined;
  try {
    // A FIFO or device would block in open() or never end, so the kind is asked first.
    const before = await stat(path);
    if (!before.isFile()) {
      const kind = before.isDirectory() ? 'a folder' : 'something else';
      throw new GlacisError('data/unreadable', `${path}: expected a regular file, got ${kind}`);
    }
    handle = await open(path, 'r');
    const { size } = await handle.stat();
    return fileSource(handle, size, path);
  } catch (error) {
    await handle?.close();
    throw asGlacisError(error, 'data/unreadable', path);
  }
}

/** The first `size` bytes of an open file; `path` names it in errors. Closing the source closes the file. */
export function fileSource(handle: FileHandle, size: number, path: string): ByteSource {
  const readInto = async (offset: number, target: Uint8Array) => {
    const { length } = target;
    requireRange(offset, length, size, path);
    try {
      for (let done = 0; done < length; ) {
        const { bytesRead } = await handle.read(target, done, length - done, offset + done);
        if (bytesRead === 0)
          throw new GlacisError('data/unreadable', `${path}: the file became shorter while it was read`);
        done += bytesRead;
      }
    } catch (error) {
      throw asGlacisError(error, 'data/unreadable', path);
    }
  };
  return {
    size,
    readInto,
    async read(offset, length) {
      requireRange(offset, length, size, path);
      const bytes = new Uint8Array(length);
      await readInto(offset, bytes);
      return bytes;
    },
    close: () => handle.close(),
  };
}

/** A source over bytes in memory; nothing is copied. `where` names it in errors. */
export function memorySource(bytes: Uint8Array, where: string): ByteSource {
  return {
    size: bytes.length,
    async read(offset, length) {
      requireRange(offset, length, bytes.length, where);
      return bytes.subarray(offset, offset + length);
    },
    close: async () => {},
  };
}

/** The `size` bytes of `parent` from `offset` as a source of their own. Closing it closes `parent`. */
export function rangeSource(parent: ByteSource, offset: number, size: number, where: string): ByteSource {
  requireRange(offset, size, parent.size, where);
  return {
    size,
    ...(parent.readInto && {
      readInto: async (at, target) => {
        requireRange(at, target.length, size, where);
        await parent.readInto!(offset + at, target);
      },
    }),
    async read(at, length) {
      requireRange(at, length, size, where);
      return parent.read(offset + at, length);
    },
    close: () => parent.close(),
  };
}

/** All bytes in order, in chunks of at most 1 MiB. */
export async function* chunksOf(source: ByteSource, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < source.size; offset += CHUNK) {
    throwIfCancelled(signal, 'reading data');
    yield await source.read(offset, Math.min(CHUNK, source.size - offset));
  }
}

/** Shows `look` all bytes in order, in pieces of at most 1 MiB, whose memory is used again when it returns. */
export async function lookThrough(
  source: ByteSource,
  look: (piece: Uint8Array) => void,
  signal?: AbortSignal,
): Promise<void> {
  if (source.readInto === undefined) {
    for await (const piece of chunksOf(source, signal)) look(piece);
    return;
  }
  const memory = new Uint8Array(Math.min(CHUNK, source.size));
  for (let offset = 0; offset < source.size; offset += CHUNK) {
    throwIfCancelled(signal, 'reading data');
    const piece = memory.subarray(0, Math.min(CHUNK, source.size - offset));
    await source.readInto(offset, piece);
    look(piece);
  }
}

/** `sha256:` and the hexadecimal SHA-256 of all bytes of `source`. */
export async function digestOf(source: ByteSource, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await lookThrough(source, (piece) => hash.update(piece), signal);
  return `sha256:${hash.digest('hex')}`;
}

/**
 * One digest for several named parts: the SHA-256 of the lines `<hex>  <name>\n` in the given order, which is what
 * `sha256sum` prints, so that `sha256sum a b | sha256sum` gives the same.
 */
export function digestOfParts(parts: readonly { readonly name: string; readonly digest: string }[]): string {
  const hash = createHash('sha256');
  for (const { name, digest } of parts) hash.update(`${digest.replace('sha256:', '')}  ${name}\n`);
  return `sha256:${hash.digest('hex')}`;
}

function requireRange(offset: number, length: number, size: number, where: string): void {
  const good = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!good || offset + length > size) {
    throw new GlacisError(
      'data/unreadable',
      `${where}: expected ${length} bytes at byte ${offset}, got a file of ${size} bytes (is it cut short?)`,
    );
  }
}
