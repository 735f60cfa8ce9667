import { z } from 'zod';
import { timeSpan } from './time-span.ts';

const path = z
  .string({ error: 'a path' })
  .min(1, { error: 'a path' })
  .max(4096, { error: 'a path of at most 4096 characters' });

/** `serve.store` where everything is on one machine. */
const sqliteStoreSchema = z.strictObject({
  kind: z.literal('sqlite').describe('A file on this machine.'),
  file: path.optional().describe('The database file; `glacis.db` in the data folder without.'),
  busyTimeout: timeSpan
    .default(5000)
    .describe('How long to wait while another process writes, for instance a backup.'),
});

/** `serve.store` where several gateways share one. */
const postgresStoreSchema = z.strictObject({
  kind: z.literal('postgres').describe('A PostgreSQL database of its own, version 15 or later.'),
  url: z
    .string()
    .regex(/^postgres(?:ql)?:\/\/\S+$/, {
      error: 'an address such as postgres://glacis@db.example:5432/glacis',
    })
    .describe('Where the database is; `?host=/run/postgresql` names a folder with its socket.'),
  passwordFile: path
    .optional()
    .describe('A file that holds the password. Better than one in the address, which other people read.'),
  tls: z
    .union([
      z.literal('off'),
      z.literal('on'),
      z.strictObject({ ca: path.describe('PEM file of the authority.') }),
    ])
    .optional()
    .describe(
      'Whether the connection is encrypted and the certificate checked. On without, except on this machine itself.',
    ),
  connections: z.int().min(1).max(200).default(10).describe('Most connections at once.'),
  connectTimeout: timeSpan.default(3000).describe('How long a connection may take.'),
  queryTimeout: timeSpan.default(5000).describe('How long one statement may take.'),
});

/** `serve.store`: where keys, reviews, budgets and the index of the log are kept. */
export const storeSchema = z
  .discriminatedUnion('kind', [sqliteStoreSchema, postgresStoreSchema])
  .default({ kind: 'sqlite', busyTimeout: 5000 });

/** What {@link storeSchema} reads. */
export type StoreConfig = z.output<typeof storeSchema>;

/** The part of {@link StoreConfig} for SQLite, with its file. */
export interface SqliteConfig {
  readonly kind: 'sqlite';
  readonly file: string;
  /** Milliseconds; 5000 without. */
  readonly busyTimeout?: number;
}

/** The part of {@link StoreConfig} for PostgreSQL. */
export interface PostgresConfig {
  readonly kind: 'postgres';
  readonly url: string;
  readonly passwordFile?: string | undefined;
  readonly tls?: 'off' | 'on' | { readonly ca: string } | undefined;
  /** 10 without. */
  readonly connections?: number;
  /** Milliseconds; 3000 without. */
  readonly connectTimeout?: number;
  /** Milliseconds; 5000 without. */
  readonly queryTimeout?: number;
}
