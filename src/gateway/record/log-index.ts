import { DatabaseSync } from 'node:sqlite';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import type { LogReader } from '../../ledger/index.ts';
import { type DecisionEntry, type EventEntry, readEntry, type Who } from './read-entry.ts';

/** What is looked for; all that is given must hold. */
export interface LogQuery {
  readonly principal?: string | undefined;
  readonly tenant?: string | undefined;
  readonly model?: string | undefined;
  readonly digest?: string | undefined;
  readonly outcome?: string | undefined;
  readonly event?: string | undefined;
  readonly id?: string | undefined;
  /** Milliseconds since 1970. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** Default 100. */
  readonly limit?: number | undefined;
}

/** An entry that was found, verified against the log. */
export interface Found {
  readonly index: number;
  readonly entry: DecisionEntry | EventEntry;
  readonly who: Who | undefined;
}

/** Opens what is sealed of an entry, where its key is at hand. */
export type RevealWho = (entry: DecisionEntry) => Promise<Who | undefined>;

/**
 * An index over a log, in a SQLite file that can be thrown away. It only says where to look: what it points to is read from the log, verified, and
 * compared with the question again, so that a wrong index can hide an entry and never make one up.
 */
export interface LogIndex {
  /** Reads what the log has more than the index; from the beginning (`first`, where entries were archived) when the index is of another log. Gives how many entries were read. */
  catchUp(
    log: LogReader,
    reveal: RevealWho,
    options?: { readonly first?: number | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<number>;
  search(log: LogReader, query: LogQuery, reveal: RevealWho): AsyncGenerator<Found>;
  /** Forgets who a subject was. */
  forget(subject: string): void;
  close(): void;
}

const TEXTS = ['principal', 'tenant', 'model', 'digest', 'outcome', 'event', 'id'] as const;
const COLUMNS = ['entry', 'at', ...TEXTS, 'subject'];

/** Opens the index in a file, or one in memory. Errors: `output/unwritable`. */
export function openLogIndex(file = ':memory:'): LogIndex {
  const make = () => {
    const database = new DatabaseSync(file);
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON;
CREATE TABLE IF NOT EXISTS log (origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS entries (entry INTEGER PRIMARY KEY, at INTEGER NOT NULL, ${TEXTS.map((name) => `${name} TEXT`).join(', ')}, subject TEXT) STRICT;
${TEXTS.map((name) => `CREATE INDEX IF NOT EXISTS by_${name} ON entries (${name}, at);`).join('\n')}
CREATE INDEX IF NOT EXISTS by_at ON entries (at); CREATE INDEX IF NOT EXISTS by_subject ON entries (subject);`);
    return database;
  };
  let database: DatabaseSync;
  try {
    database = make();
  } catch (thrown) {
    throw asGlacisError(thrown, 'output/unwritable', file);
  }
  const insert = database.prepare(
    `INSERT OR REPLACE INTO entries (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map(() => '?').join(', ')})`,
  );
  return {
    async catchUp(log, reveal, { first = 0, signal } = {}) {
      const { origin, size, root } = log.checkpoint;
      const state = database.prepare('SELECT origin, size, root FROM log').get() as
        | { origin: string; size: number; root: Uint8Array }
        | undefined;
      let from = state?.size ?? 0;
      const goesOn =
        state === undefined ||
        (state.origin === origin &&
          (await log.extend({ size: state.size, root: state.root }).then(
            () => true,
            (thrown) => {
              if (thrown instanceof GlacisError && thrown.code === 'ledger/forked') return false;
              throw thrown;
            },
          )));
      database.exec('BEGIN');
      try {
        if (!goesOn) {
          database.exec('DELETE FROM entries');
          from = 0;
        }
        from = Math.max(from, first);
        let at = from;
        for await (const bytes of log.entries(from, signal)) {
          const entry = readEntry(bytes);
          if (entry) insert.run(...(await rowOf(at, entry, reveal)));
          at++;
        }
        database.exec('DELETE FROM log');
        database.prepare('INSERT INTO log VALUES (?, ?, ?)').run(origin, size, root);
        database.exec('COMMIT');
        return size - from;
      } catch (thrown) {
        database.exec('ROLLBACK');
        throw asGlacisError(thrown, 'output/unwritable', file);
      }
    },
    async *search(log, query, reveal) {
      const conditions = TEXTS.filter((name) => query[name] !== undefined);
      const where = [
        ...conditions.map((name) => `${name} = ?`),
        ...(query.since === undefined ? [] : ['at >= ?']),
        ...(query.until === undefined ? [] : ['at <= ?']),
      ];
      const values = [
        ...conditions.map((name) => query[name]!),
        ...(query.since === undefined ? [] : [query.since]),
        ...(query.until === undefined ? [] : [query.until]),
        query.limit ?? 100,
      ];
      const rows = database
        .prepare(
          `SELECT entry FROM entries ${where.length > 0 ? `WHERE ${where.join(' AND ')}` : ''} ORDER BY entry DESC LIMIT ?`,
        )
        .all(...values) as { entry: number }[];
      for (const { entry: index } of rows) {
        if (index >= log.checkpoint.size) continue;
        const entry = readEntry(await entryOf(log, index));
        if (entry === undefined) continue;
        const who = entry.schema === 'glacis.decision/1' ? await whoOf(entry, reveal) : undefined;
        if (matches(entry, who, query)) yield { index, entry, who };
      }
    },
    forget(subject) {
      database.prepare('UPDATE entries SET principal = NULL, tenant = NULL WHERE subject = ?').run(subject);
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    },
    close: () => database.close(),
  };
}

/** An entry; nothing where its bundle is archived by now. */
async function entryOf(log: LogReader, index: number): Promise<Uint8Array> {
  return log.entry(index).catch((thrown) => {
    if (thrown instanceof GlacisError && thrown.code === 'ledger/unreadable') return new Uint8Array();
    throw thrown;
  });
}

/** Who an entry is about: as it says, or as the key of its subject opens it. */
export async function whoOf(entry: DecisionEntry, reveal: RevealWho): Promise<Who | undefined> {
  return typeof entry.who === 'string' ? reveal(entry) : entry.who;
}

/** Whether an entry is one that is looked for. */
export function matches(entry: DecisionEntry | EventEntry, who: Who | undefined, query: LogQuery): boolean {
  const fields = fieldsOf(entry, who);
  return (
    TEXTS.every((name) => query[name] === undefined || fields[name] === query[name]) &&
    fields.at >= (query.since ?? Number.NEGATIVE_INFINITY) &&
    fields.at <= (query.until ?? Number.POSITIVE_INFINITY)
  );
}

type Fields = { readonly at: number; readonly subject?: string } & Partial<
  Record<(typeof TEXTS)[number], string | undefined>
>;

function fieldsOf(entry: DecisionEntry | EventEntry, who: Who | undefined): Fields {
  if (entry.schema === 'glacis.event/1')
    return { at: entry.event.at, event: entry.event.event, principal: entry.event.by };
  const { at, model, digest, outcome, id } = entry.decision;
  return {
    at,
    model,
    digest,
    outcome,
    id,
    principal: who?.principal,
    tenant: who?.tenant,
    subject: entry.subject,
  };
}

async function rowOf(index: number, entry: DecisionEntry | EventEntry, reveal: RevealWho) {
  const who = entry.schema === 'glacis.decision/1' ? await whoOf(entry, reveal) : undefined;
  const fields = fieldsOf(entry, who);
  return [index, Math.trunc(fields.at), ...TEXTS.map((name) => fields[name] ?? null), fields.subject ?? null];
}
