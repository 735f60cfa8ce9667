import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';

/** Where everything lies in a backup. */
export const BACKUP = {
  manifest: 'backup.json',
  /** A SQLite file, or the portable form. */
  store: 'store',
  data: 'data',
} as const;

/** Parts of a data folder that are made again, or mean nothing elsewhere: a store that is copied by itself, indexes, the writer's own files of the log. */
export function isLeftOut(path: string): boolean {
  return (
    /^glacis\.db(?:-wal|-shm)?$/.test(path) ||
    /^record\/(?:index|live)\.db(?:-wal|-shm)?$/.test(path) ||
    /^record\/log\/\.(?:journal|lock|staging)(?:\/|$)/.test(path) ||
    path === 'record/log.seen' ||
    // What is being written gets its name later.
    /(?:^|\/)[^/]*\.(?:tmp|unfinished)$/.test(path)
  );
}

const file = z.strictObject({
  path: z
    .string()
    .max(1000)
    .regex(/^[\w.@+=-]+(?:\/[\w.@+=-]+)*$/)
    .refine((path) => path.split('/').every((part) => part !== '.' && part !== '..')),
  bytes: z.int().min(0),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
});

const manifest = z.strictObject({
  schema: z.literal('glacis.backup/1'),
  at: z.iso.datetime(),
  store: file,
  /** The log as it was; its own files are checked against it, and are not listed. */
  log: z.strictObject({ origin: z.string().max(200), size: z.int().min(0), root: z.base64().max(64) }),
  files: z.array(file).max(5_000_000),
});

/** What a backup says of itself. */
export type BackupManifest = z.output<typeof manifest>;
/** A file in it. */
export type BackupFile = BackupManifest['files'][number];

/** Reads a manifest; `text` is attacker-controlled where the backup comes from elsewhere. Errors: `store/unusable`. */
export function parseManifest(text: string): BackupManifest {
  try {
    return manifest.parse(JSON.parse(text));
  } catch (cause) {
    throw new GlacisError('store/unusable', `${BACKUP.manifest}: expected what glacis backup wrote`, {
      cause,
    });
  }
}
