import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { asGlacisError } from '../../../core/error.ts';
import type { DecisionEntry, EventEntry } from '../read-entry.ts';
import type { DecisionQuery } from './live-question.ts';

/** Entries that a question looks at, and milliseconds that it looks (rows that lie far apart come from the disk one by one): then it gives what it has found, and where to go on. */
const MOST_SCANNED = 50_000;
const LONGEST = 100;
/** Rows between two looks at the clock. */
const GLANCE = 256;
/** How much later than a call came its entry may be written, in milliseconds: the longest that a call can take, and a clock that was set. */
const SLACK = 900_000;
/** Names whose numbers are remembered. */
const MOST_NAMES = 100_000;
/** The number of the outcome that nearly every entry has. */
const ANSWERED = 1;
/** Another layout makes the index anew. */
const LAYOUT = 1;

/** The log up to which the index has read. */
export interface IndexState {
  readonly origin: string;
  /** Entries that were read. */
  readonly next: number;
  /** A state of the log that had all of them. */
  readonly size: number;
  readonly root: Uint8Array;
}

/** What was found: entries, the newest first, and where to go on, if there is more to look at. */
export interface FoundEntries {
  readonly entries: readonly number[];
  readonly next: number | undefined;
}

/** An index over the log, in a file that can be thrown away. */
export interface EntryIndex {
  readonly state: IndexState | undefined;
  /** Adds entries from `from` on, and writes down the state. */
  add(from: number, entries: readonly (DecisionEntry | EventEntry | undefined)[], state: IndexState): void;
  /** Forgets everything. */
  clear(): void;
  /** Decisions that are asked for; `subject` in place of the principal where who is sealed. Never looks at more than a bounded number of entries. */
  find(query: DecisionQuery, most: number, subject: string | undefined): FoundEntries;
  /** The entry of a decision, if the index has it; others may share the first half of its id, so look at it. */
  byId(id: string): readonly number[];
  close(): void;
}

/** Columns with an index, the one that leads to the fewest entries first. */
const NAMED = ['subject', 'principal', 'outcome', 'digest', 'tenant', 'model'] as const;
const COLUMNS = ['entry', 'at', 'id', ...NAMED, 'event'] as const;

/**
 * Opens the index. A row is a few small numbers, because names come again and again: each is kept once. An index over a column is in the order of entries, so that a page is
 * found wherever it lies. `clock` gives milliseconds; `mostScanned`: rows that are looked at for a page. Errors: `output/unwritable`.
 */
export function openEntryIndex(
  file: string,
  clock: () => number = () => performance.now(),
  mostScanned = MOST_SCANNED,
): EntryIndex {
  let db: DatabaseSync;
  const make = (): void => {
    db.exec(`pragma journal_mode = wal; pragma synchronous = normal; pragma secure_delete = on; pragma busy_timeout = 5000;
create table if not exists log (origin text not null, next integer not null, size integer not null, root blob not null);
create table if not exists names (number integer primary key, name text not null unique) strict;
create table if not exists entries (entry integer primary key, at integer not null, id integer, ${NAMED.map((name) => `${name} integer`).join(', ')}, event integer) strict;
create index if not exists by_id on entries (id) where id is not null;
${NAMED.map((name) => `create index if not exists by_${name} on entries (${name}) where ${partOf(name)};`).join('\n')}
create index if not exists by_event on entries (event) where event is not null;
insert or ignore into names values (${ANSWERED}, 'answered'); pragma user_version = ${LAYOUT};`);
  };
  try {
    db = new DatabaseSync(file);
    const { user_version: layout } = db.prepare('pragma user_version').get() as { user_version: number };
    if (layout !== 0 && layout !== LAYOUT)
      for (const table of ['log', 'names', 'entries']) db.exec(`drop table if exists ${table}`);
    make();
  } catch (thrown) {
    throw asGlacisError(thrown, 'output/unwritable', file);
  }
  const prepared = new Map<string, StatementSync>();
  const statement = (sql: string): StatementSync => {
    let found = prepared.get(sql);
    if (found === undefined) {
      found = db.prepare(sql);
      prepared.set(sql, found);
    }
    return found;
  };
  const insert = db.prepare(
    `insert or replace into entries (${COLUMNS.join(', ')}) values (${COLUMNS.map(() => '?').join(', ')})`,
  );
  const nameOf = db.prepare('select number from names where name = ?');
  const addName = db.prepare('insert into names (name) values (?) returning number');
  let numbers = new Map<string, number>();
  const known = (name: string): number | undefined => {
    const remembered = numbers.get(name);
    if (remembered !== undefined) return remembered;
    const row = nameOf.get(name) as { number: number } | undefined;
    if (row === undefined) return undefined;
    if (numbers.size >= MOST_NAMES) numbers = new Map();
    numbers.set(name, row.number);
    return row.number;
  };
  const numbered = (name: string | undefined): number | null => {
    if (name === undefined) return null;
    const found = known(name);
    if (found !== undefined) return found;
    const { number } = addName.get(name) as { number: number };
    numbers.set(name, number);
    return number;
  };
  const atOf = (entry: number): number | undefined => {
    const row = statement('select at from entries where entry <= ? order by entry desc limit 1').get(entry) as
      | { at: number }
      | undefined;
    return row?.at;
  };
  /** The first entry after which all came later than `time`, as far as entries are in the order of time. */
  const entryAfter = (time: number, end: number): number => {
    let [low, high] = [0, end];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((atOf(middle) ?? Number.NEGATIVE_INFINITY) > time) high = middle;
      else low = middle + 1;
    }
    return low;
  };

  return {
    get state() {
      const row = statement('select origin, next, size, root from log').get();
      return row as unknown as IndexState | undefined;
    },
    add(from, entries, { origin, next, size, root }) {
      db.exec('begin');
      try {
        for (const [i, entry] of entries.entries())
          if (entry !== undefined) insert.run(...rowOf(from + i, entry, numbered));
        db.exec('delete from log');
        statement('insert into log values (?, ?, ?, ?)').run(origin, next, size, root);
        db.exec('commit');
      } catch (thrown) {
        db.exec('rollback');
        // Numbers that were given in what was undone are nobody's.
        numbers = new Map();
        throw asGlacisError(thrown, 'output/unwritable', file);
      }
    },
    clear() {
      db.exec('begin; delete from log; delete from entries; commit');
    },
    find(query, most, subject) {
      const wanted: (readonly [(typeof NAMED)[number], number])[] = [];
      for (const name of NAMED) {
        const value = name === 'subject' ? subject : query[name];
        if (value === undefined || (name === 'principal' && subject !== undefined)) continue;
        const number = known(value);
        if (number === undefined) return { entries: [], next: undefined };
        wanted.push([name, number]);
      }
      const end = (this.state?.next ?? 0) as number;
      let below = Math.min(query.before ?? end, end);
      if (query.to !== undefined) below = Math.min(below, entryAfter(query.to + SLACK, end));
      const above = query.from === undefined ? -1 : entryAfter(query.from - SLACK, end) - 1;
      const lead = wanted.find(([name, number]) => name !== 'outcome' || number !== ANSWERED);
      const by = lead === undefined ? '' : `indexed by by_${lead[0]}`;
      const isLead = lead === undefined ? '' : `${lead[0]} = ? and ${partOf(lead[0])} and`;
      const rows = statement(
        `select entry, at, event, ${NAMED.join(', ')} from entries ${by} where ${isLead} entry < ? and entry > ? order by entry desc limit ${mostScanned}`,
      ).iterate(...(lead === undefined ? [] : [lead[1]]), below, above) as Iterable<
        Record<(typeof NAMED)[number], number | null> & { entry: number; at: number; event: number | null }
      >;
      const entries: number[] = [];
      const until = clock() + LONGEST;
      let scanned = 0;
      let last = 0;
      for (const row of rows) {
        if (scanned > 0 && scanned % GLANCE === 0 && clock() > until) return { entries, next: last };
        scanned++;
        last = row.entry;
        if (row.event !== null || wanted.some(([name, number]) => row[name] !== number)) continue;
        if (row.at < (query.from ?? row.at) || row.at > (query.to ?? row.at)) continue;
        entries.push(row.entry);
        if (entries.length === most) return { entries, next: last };
      }
      return { entries, next: scanned === mostScanned ? last : undefined };
    },
    byId: (id) =>
      (
        statement('select entry from entries where id = ? order by entry').all(shortId(id)) as {
          entry: number;
        }[]
      ).map(({ entry }) => entry),
    close: () => db.close(),
  };
}

/** The rows that an index holds: not those that nobody looks for by it. */
function partOf(name: (typeof NAMED)[number]): string {
  return name === 'outcome' ? `outcome > ${ANSWERED}` : `${name} is not null`;
}

/** As many bits of an id as a number holds. */
function shortId(id: string): number {
  return Number.parseInt(id.slice(0, 13), 16);
}

function rowOf(
  index: number,
  entry: DecisionEntry | EventEntry,
  numbered: (name: string | undefined) => number | null,
): SQLInputValue[] {
  if (entry.schema === 'glacis.event/1')
    return [index, Math.trunc(entry.event.at), null, ...NAMED.map(() => null), numbered(entry.event.event)];
  const { at, id, model, digest, outcome } = entry.decision;
  const who = typeof entry.who === 'string' ? undefined : entry.who;
  return [
    index,
    Math.trunc(at),
    shortId(id),
    // Who is sealed is looked for by its pseudonym: nothing that a key opens is written into the index.
    who === undefined ? numbered(entry.subject) : null,
    numbered(who?.principal),
    numbered(outcome),
    numbered(digest),
    numbered(who?.tenant),
    numbered(model),
    null,
  ];
}
