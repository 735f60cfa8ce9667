import { join, resolve } from 'node:path';
import { GlacisError } from '../core/error.ts';
import type { LogSource } from '../ledger/log-source.ts';
import { folderStore } from '../ledger/log-store.ts';
import type { BlobStore } from './blob-store.ts';
import { type EventLog, folderEventLog } from './event-log.ts';
import { folderBlobs } from './folder-blobs.ts';

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

/** The place that a location names: a folder. Errors: `option/invalid`. */
export function openPlace(location: string, _env: Environment = {}): Place {
  if (hasScheme(location))
    throw new GlacisError(
      'option/invalid',
      `registry '${location}': expected a folder, got another kind of address`,
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

/** Where a registry's blobs are: beside its log when `location` is empty. Errors: `option/invalid`. */
export function openBlobs(place: Place, location: string, _env: Environment = {}): BlobStore {
  if (location === '') return place.blobs;
  if (hasScheme(location))
    throw new GlacisError(
      'option/invalid',
      `blobs '${location}': expected a folder, got another kind of address`,
    );
  return folderBlobs(resolve(location));
}

function hasScheme(location: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(location);
}
