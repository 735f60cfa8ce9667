import { join, resolve } from 'node:path';
import { GlacisError } from '../core/error.ts';
import type { LogSource } from '../ledger/log-source.ts';
import { folderStore } from '../ledger/log-store.ts';
import type { BlobStore } from './blob-store.ts';
import { type EventLog, folderEventLog } from './event-log.ts';
import { folderBlobs } from './folder-blobs.ts';
import { ociBlobs } from './oci/oci-blobs.ts';
import { openBucket } from './s3/bucket.ts';
import { s3Blobs } from './s3/s3-blobs.ts';
import { s3EventLog, s3Records } from './s3/s3-log.ts';

/** Small files that may change: records of wrapped data keys. What it gives is attacker-controlled. */
export interface RecordStore extends LogSource {
  /** Writes a file as a whole or not at all; safe from a power failure when this returns. */
  write(files: readonly { readonly path: string; readonly bytes: Uint8Array }[]): Promise<void>;
}

/** Where a registry lies. */
export interface Place {
  /** In its full form: the name under which this machine remembers the registry. */
  readonly where: string;
  /** Whether it is a folder of this machine. */
  readonly local: boolean;
  readonly log: EventLog;
  readonly records: RecordStore;
  /** The blobs in the same place. */
  readonly blobs: BlobStore;
}

/** Variables that say how to reach a storage. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The place that a location names: a folder, or `s3://BUCKET/PREFIX` with the variables that S3 tools use. Errors: `option/invalid`.
 */
export function openPlace(location: string, env: Environment = {}): Place {
  if (location.startsWith('s3://')) {
    const at = location.replace(/\/+$/, '');
    const open = (path: string) => openBucket(`${at}${path}`, env, () => new Date());
    const { where } = open('');
    return {
      where,
      local: false,
      log: s3EventLog(open('/log')),
      records: s3Records(open('/keys')),
      blobs: s3Blobs(open('')),
    };
  }
  if (hasScheme(location))
    throw new GlacisError(
      'option/invalid',
      `registry '${location}': expected a folder or s3://BUCKET/PREFIX, got another kind of address`,
    );
  const folder = resolve(location);
  return {
    where: folder,
    local: true,
    log: folderEventLog(join(folder, 'log')),
    records: folderStore(join(folder, 'keys')),
    blobs: folderBlobs(folder),
  };
}

/**
 * Where a registry's blobs are: beside its log when `location` is empty, otherwise a folder, `s3://BUCKET/PREFIX` or `oci://HOST/NAME`.
 * Errors: `option/invalid`.
 */
export function openBlobs(place: Place, location: string, env: Environment = {}): BlobStore {
  if (location === '') return place.blobs;
  if (location.startsWith('s3://')) return s3Blobs(openBucket(location, env, () => new Date()));
  if (/^oci(\+http)?:/.test(location)) return ociBlobs(location, env);
  if (hasScheme(location))
    throw new GlacisError(
      'option/invalid',
      `blobs '${location}': expected a folder, s3://BUCKET/PREFIX or oci://HOST/NAME, got another kind of address`,
    );
  return folderBlobs(resolve(location));
}

function hasScheme(location: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(location);
}
