import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GlacisError } from '../core/error.ts';
import { DATA_KEY_BYTES, seal, unseal } from '../supply/vault/seal.ts';
import {
  MOST_RECORD_BYTES,
  openKey,
  parseSealedKey,
  rewrapKey,
  type SealedKey,
  sealKey,
} from '../supply/vault/sealed-key.ts';
import type { WrappingKey } from '../supply/vault/wrapping-key.ts';
import { type Blob, type BlobStore, type OpenBlob, store, verified } from './blob-store.ts';
import { blobOfFile, fileChunks } from './folder-blobs.ts';
import type { RecordStore } from './place.ts';

/** What storing and reading encrypted blobs needs. */
export interface Vault {
  readonly blobs: BlobStore;
  readonly records: RecordStore;
  readonly key: WrappingKey;
}

/** The record of a sealed blob, by what is stored. */
const recordPath = ({ digest }: Blob) => `sealed/${digest.slice(7)}.json`;
/** A hint which sealed blob holds these plain bytes, so that they are not sealed twice and a push can go on. */
const hintPath = ({ digest }: Blob) => `plain/${digest.slice(7)}.json`;

/**
 * Stores a blob encrypted and gives what was stored. What an earlier push sealed of the same bytes under the same wrapping key is used
 * again. The ciphertext passes through a temporary file, because its digest is its name; plain bytes never do.
 * Errors: `registry/damaged`, `registry/storage`, `vault/…`.
 */
export async function storeSealed(
  vault: Vault,
  plain: Blob,
  source: OpenBlob,
  signal?: AbortSignal,
): Promise<Blob> {
  const { blobs, records, key } = vault;
  const earlier = await readRecord(records, hintPath(plain)).catch(() => undefined);
  if (
    earlier?.keyId === key.id &&
    sameBlob(earlier.plain, plain) &&
    (await blobs.has(earlier.stored, signal))
  ) {
    // The record is only a hint until the key opens it: whoever has the storage could have written it.
    const opened = await openKey(key, earlier).catch(() => undefined);
    const known = await readRecord(records, recordPath(earlier.stored)).catch(() => undefined);
    if (opened && known) return earlier.stored;
  }
  const folder = await mkdtemp(join(tmpdir(), 'glacis-seal-'));
  try {
    const dataKey = randomBytes(DATA_KEY_BYTES);
    const file = await open(join(folder, 'blob'), 'wx+', 0o600);
    try {
      const bytes = verified(plain, source(), `blob ${plain.digest}`, signal);
      for await (const chunk of seal(dataKey, digestBytes(plain), bytes))
        for (let done = 0; done < chunk.length; )
          done += (await file.write(chunk, done, chunk.length - done)).bytesWritten;
      const stored = await blobOfFile(file);
      await store(blobs, stored, () => fileChunks(file), signal);
      const record = Buffer.from(JSON.stringify(await sealKey(key, dataKey, { plain, stored })));
      await records.write([{ path: recordPath(stored), bytes: record }]);
      await records.write([{ path: hintPath(plain), bytes: record }]);
      return stored;
    } finally {
      await file.close();
      dataKey.fill(0);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The plain bytes of a sealed blob, not yet checked against their digest. Errors: `vault/…`, `registry/damaged`. */
export async function* readSealed(
  { blobs, records, key }: Vault,
  { plain, stored }: { readonly plain: Blob; readonly stored: Blob },
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const record = await recordOf(records, { plain, stored });
  const bytes = verified(stored, blobs.get(stored, signal), `blob ${stored.digest}`, signal);
  yield* unseal(await openKey(key, record), digestBytes(plain), bytes, `blob ${stored.digest}`);
}

/** The wrapped key of a sealed blob. Errors: `registry/damaged` when there is none or it is another's; `vault/unreadable`. */
export async function recordOf(
  records: RecordStore,
  { plain, stored }: { readonly plain: Blob; readonly stored: Blob },
): Promise<SealedKey> {
  const record = await readRecord(records, recordPath(stored));
  if (record === undefined || !sameBlob(record.stored, stored) || !sameBlob(record.plain, plain))
    throw new GlacisError(
      'registry/damaged',
      `blob ${stored.digest}: expected the record of its data key, got ${record ? 'that of another' : 'none'}`,
    );
  return record;
}

/** Puts the data key of a sealed blob under another wrapping key; the blob stays as it is. Errors: `vault/…`, `registry/damaged`. */
export async function rotate(
  records: RecordStore,
  from: WrappingKey,
  to: WrappingKey,
  blobs: { readonly plain: Blob; readonly stored: Blob },
): Promise<void> {
  const next = await rewrapKey(from, to, await recordOf(records, blobs));
  const bytes = Buffer.from(JSON.stringify(next));
  // One after the other: a kill in between leaves a hint under the old key, which is then passed over.
  await records.write([{ path: recordPath(blobs.stored), bytes }]);
  await records.write([{ path: hintPath(blobs.plain), bytes }]);
}

async function readRecord(records: RecordStore, path: string): Promise<SealedKey | undefined> {
  const bytes = await records.read(path, MOST_RECORD_BYTES);
  return bytes && parseSealedKey(bytes, path);
}

function digestBytes({ digest }: Blob): Uint8Array {
  return Buffer.from(digest.slice('sha256:'.length), 'hex');
}

function sameBlob(a: Blob, b: Blob): boolean {
  return a.digest === b.digest && a.size === b.size;
}
