import { type ErrorCode, GlacisError } from '../../core/error.ts';
import type { SqliteFault } from './sqlite-messages.ts';

/** Primary result codes (https://sqlite.org/rescode.html) that mean something to us. */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const CONSTRAINT = 19;
const NOTADB = 26;

const CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [BUSY, 'store/unavailable'],
  [LOCKED, 'store/unavailable'],
  [READONLY, 'store/unavailable'],
  [IOERR, 'store/unavailable'],
  [FULL, 'store/unavailable'],
  [CANTOPEN, 'store/unavailable'],
  [CORRUPT, 'store/unusable'],
  [NOTADB, 'store/unusable'],
  [CONSTRAINT, 'store/conflict'],
]);

/** What SQLite said, as an error. Its messages name tables and columns, never values. */
export function sqliteError({ message, errcode }: SqliteFault): GlacisError {
  const primary = errcode === undefined ? undefined : errcode & 0xff;
  return new GlacisError(CODES.get(primary ?? -1) ?? 'run/failed', `store: SQLite: ${message}`, {
    cause: { errcode },
  });
}

/**
 * Whether nothing that this connection says may be believed any more. After a failed write or `fsync` the system may have dropped what it
 * could not write, and a second try would seem to succeed.
 */
export function endsTrust({ errcode }: SqliteFault): boolean {
  const primary = errcode === undefined ? undefined : errcode & 0xff;
  return primary === IOERR || primary === CORRUPT || primary === NOTADB;
}
