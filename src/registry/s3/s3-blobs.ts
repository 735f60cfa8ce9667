import { GlacisError } from '../../core/error.ts';
import { type Blob, type BlobStore, blobOf, once } from '../blob-store.ts';
import type { Bucket } from './bucket.ts';

/** Blobs in a bucket, under `blobs/sha256/`. The server checks the digest of what it is sent, because the request's signature names it. */
export function s3Blobs(bucket: Bucket): BlobStore {
  const hex = ({ digest }: Blob) => digest.slice('sha256:'.length);
  const keyOf = (blob: Blob) => `blobs/sha256/${hex(blob)}`;
  const put: BlobStore['put'] = async (blob, open, signal) => {
    await bucket.put(keyOf(blob), { open, size: blob.size, sha256: hex(blob) }, { signal });
  };
  const get: BlobStore['get'] = async function* (blob, signal) {
    const found = await bucket.get(keyOf(blob), signal);
    if (found === undefined)
      throw new GlacisError('registry/damaged', `${bucket.where}: expected ${blob.digest}; it is not there`);
    yield* found.bytes;
  };
  return {
    where: bucket.where,
    has: async (blob, signal) => (await bucket.head(keyOf(blob), signal))?.size === blob.size,
    put,
    get,
    putManifest: (bytes, _tag, signal) => put(blobOf(bytes), () => once(bytes), signal),
    getManifest: get,
  };
}
