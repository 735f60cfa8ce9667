import { createHash } from 'node:crypto';
import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';

/** Bytes by their digest. */
export interface Blob {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  readonly size: number;
}

/** Opens a blob's bytes from their beginning; a store may call it again after a failure. */
export type OpenBlob = () => AsyncIterable<Uint8Array>;

/**
 * Where models lie: files by their digest. A store keeps bytes and vouches for nothing; who reads checks the digest with
 * {@link verified}. Errors of all: `registry/storage`, `run/cancelled`.
 */
export interface BlobStore {
  /** The storage in words, for messages. */
  readonly where: string;
  /** Whether the whole blob is there. */
  has(blob: Blob, signal?: AbortSignal): Promise<boolean>;
  /** Stores a blob as a whole or not at all; when the bytes that `open` gives end in an error, nothing is stored. See {@link store}. */
  put(blob: Blob, open: OpenBlob, signal?: AbortSignal): Promise<void>;
  /** The blob's bytes, unchecked. Errors also: `registry/damaged` when it is not there. */
  get(blob: Blob, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Stores a manifest, the file that names a model's blobs; `tag` is a name for people, where the storage has such. */
  putManifest(bytes: Uint8Array, tag?: string, signal?: AbortSignal): Promise<void>;
  /** A manifest's bytes, unchecked. */
  getManifest(blob: Blob, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Ties evidence that was stored to a model's manifest, where the storage would throw it away otherwise. */
  keepEvidence?(model: Blob, evidence: readonly Blob[], signal?: AbortSignal): Promise<void>;
}

/**
 * Passes on the bytes of a blob and fails at the end when they are not those of its digest, or as soon as they are too many:
 * who keeps what came must wait for the end. Errors: `registry/damaged`, `run/cancelled`.
 */
export async function* verified(
  blob: Blob,
  bytes: AsyncIterable<Uint8Array>,
  where: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of bytes) {
    throwIfCancelled(signal, where);
    size += chunk.length;
    if (size > blob.size) break;
    hash.update(chunk);
    yield chunk;
  }
  const digest = `sha256:${hash.digest('hex')}`;
  if (size !== blob.size || digest !== blob.digest)
    throw new GlacisError(
      'registry/damaged',
      `${where}: expected ${blob.size} bytes with ${blob.digest}, got ${size > blob.size ? 'more' : `${size} with ${digest}`}`,
    );
}

/** Stores a blob if it is not there. Bytes that do not fit its digest (a file that changed meanwhile) are not stored. Errors: `registry/damaged`, `registry/storage`. */
export async function store(to: BlobStore, blob: Blob, open: OpenBlob, signal?: AbortSignal): Promise<void> {
  if (await to.has(blob, signal)) return;
  await to.put(blob, () => verified(blob, open(), `blob ${blob.digest}`, signal), signal);
}

/** A small blob as a whole, verified. Errors: those of {@link verified}; `registry/invalid` for more than `most` bytes. */
export async function readSmall(
  blob: Blob,
  bytes: AsyncIterable<Uint8Array>,
  where: string,
  most: number,
): Promise<Uint8Array> {
  if (blob.size > most)
    throw new GlacisError('registry/invalid', `${where}: expected at most ${most} bytes, got ${blob.size}`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of verified(blob, bytes, where)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Bytes in memory as a stream of one chunk. */
export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** The blob that these bytes are. */
export function blobOf(bytes: Uint8Array): Blob {
  return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, size: bytes.length };
}
