import { createHash } from 'node:crypto';
import type { HashType } from './hash-type.ts';

/** A file of a model, or a shard of one, and its digest. */
export interface Resource {
  /** Path from the model's root with `/` between steps, or `path:start:end` of a shard; `.` where the model is one file. */
  readonly name: string;
  /** The hash function; of shards with a suffix where the reference implementation wrote it, e.g. `sha256-sharded-8`. */
  readonly algorithm: string;
  /** In lowercase hexadecimal. */
  readonly digest: string;
}

/** How the files became resources: what a verifier must do to get the same. */
export interface Serialization {
  /** Each file as a whole, or cut into shards. */
  readonly method: 'files' | 'shards';
  readonly hashType: HashType;
  /** Bytes of a shard; only of `shards`. */
  readonly shardSize?: number;
  /** Whether symbolic links were followed. */
  readonly allowSymlinks: boolean;
  /** What stayed out; absent where the signature's format had no place for it. */
  readonly ignorePaths?: readonly string[];
}

/** A model as its files' digests: what is signed. */
export interface Manifest {
  /** The model's name, for people; nothing depends on it. */
  readonly name: string;
  /** In the order that the root digest has. */
  readonly resources: readonly Resource[];
  readonly serialization: Serialization;
}

/**
 * The one digest of a model that signatures, statements and logs share: SHA-256 over the resources' raw digests in their order
 * (OMS v1.0, section 6.5.1), whatever hashed the files. In lowercase hexadecimal. Names are not in it.
 */
export function rootDigest(resources: readonly Pick<Resource, 'digest'>[]): string {
  const hash = createHash('sha256');
  for (const { digest } of resources) hash.update(digest, 'hex');
  return hash.digest('hex');
}
