import { GlacisError } from '../../../core/error.ts';
import {
  type LogReader,
  type LogSource,
  type LogTrust,
  openCheckpoint,
  readLog,
} from '../../../ledger/index.ts';
import type { DecisionDetail, DecisionRow, Page } from '../../console/api.ts';
import { readEntry, type Who } from '../read-entry.ts';
import { decisionRow, entryDetail } from './decision-row.ts';
import type { EntryIndex } from './entry-index.ts';
import { entryReader } from './entry-reader.ts';
import { type KeptInput, keptInput } from './kept-input.ts';
import type { DecisionQuery, LiveState } from './live-question.ts';
import type { SubjectNames } from './subject-names.ts';

/** Entries that are indexed in one go: nobody waits longer than that. */
const CHUNK = 2048;
const MOST_ROWS = 200;
const MOST_CHECKPOINT = 1 << 18;

/** A log that grows, and what can be asked of it. */
export interface LiveLog {
  /** Reads the newest signed state; gives whether the log has more than the index. Errors: those of the log. */
  refresh(): Promise<boolean>;
  /** Indexes some entries; gives how many. */
  catchUp(): Promise<number>;
  page(query: DecisionQuery, reveal: boolean): Promise<Page<DecisionRow>>;
  find(which: string, reveal: boolean): Promise<DecisionDetail | undefined>;
  input(which: string): Promise<KeptInput | undefined>;
  state(): LiveState;
}

/**
 * The log with its index: the index only says where to look. What it points to is read from the log, verified, and compared with the question again, so that a wrong index can
 * hide an entry and never make one up.
 */
export function liveLog(
  source: LogSource,
  trust: LogTrust,
  {
    index,
    names,
    sealed,
    first,
    payloads,
  }: {
    readonly index: EntryIndex;
    readonly names: SubjectNames;
    readonly sealed: boolean;
    readonly first: number;
    /** The folder of kept payloads. */
    readonly payloads: string;
  },
): LiveLog {
  const reader = entryReader();
  let log: LogReader | undefined;
  let seen: Uint8Array | undefined;
  let isChecked = false;

  /** Whether the index is of this log; otherwise it begins anew. */
  const check = async (current: LogReader): Promise<void> => {
    const { state } = index;
    if (state === undefined) return;
    if (state.origin === current.checkpoint.origin)
      try {
        await current.extend({ size: state.size, root: state.root });
        return;
      } catch (thrown) {
        if (!(thrown instanceof GlacisError && thrown.code === 'ledger/forked')) throw thrown;
      }
    index.clear();
  };
  const whoOf = async (
    entry: NonNullable<ReturnType<typeof readEntry>>,
    reveal: boolean,
  ): Promise<Who | undefined> => {
    if (entry.schema === 'glacis.event/1') return undefined;
    if (typeof entry.who !== 'string') return entry.who;
    return reveal ? names.whoOf(entry) : undefined;
  };

  /** The entry of an index or of a decision's id, as the log has it. */
  const entryOf = async (
    which: string,
  ): Promise<{ place: number; bytes: Uint8Array; entry: ReturnType<typeof readEntry> } | undefined> => {
    if (log === undefined) return undefined;
    const isIndex = /^\d{1,15}$/.test(which);
    if (!isIndex && !/^[0-9a-f]{32}$/.test(which))
      throw new GlacisError(
        'option/invalid',
        "expected an entry's index, or a decision's id of 32 hexadecimal digits",
      );
    const places = isIndex ? [Number(which)] : index.byId(which);
    for (const [i, bytes] of (await reader.read(log, places)).entries()) {
      const entry = bytes && readEntry(bytes);
      if (bytes === undefined) continue;
      if (!isIndex && !(entry?.schema === 'glacis.decision/1' && entry.decision.id === which)) continue;
      return { place: places[i]!, bytes, entry };
    }
    return undefined;
  };

  const live: LiveLog = {
    async refresh() {
      const bytes = await source.read('checkpoint', MOST_CHECKPOINT);
      if (bytes === undefined) return false;
      if (seen === undefined || Buffer.compare(bytes, seen) !== 0) {
        log = readLog(source, openCheckpoint(bytes, trust, `checkpoint of ${trust.origin}`));
        seen = bytes;
      }
      if (!isChecked) await check(log!);
      isChecked = true;
      return (index.state?.next ?? 0) < log!.checkpoint.size;
    },
    async catchUp() {
      if (log === undefined) return 0;
      const { origin, size, root } = log.checkpoint;
      const from = Math.max(index.state?.next ?? 0, first);
      if (from >= size) return 0;
      const entries: ReturnType<typeof readEntry>[] = [];
      for await (const bytes of log.entries(from)) {
        entries.push(readEntry(bytes));
        if (entries.length === CHUNK) break;
      }
      index.add(from, entries, { origin, next: from + entries.length, size, root });
      return entries.length;
    },
    async page(query, reveal) {
      if (log === undefined) return { rows: [] };
      const most = Math.max(1, Math.min(MOST_ROWS, Math.floor(query.most ?? 50)));
      let subject: string | undefined;
      if (sealed && query.principal !== undefined) {
        if (!reveal)
          throw new GlacisError(
            'option/invalid',
            '?principal=: expected the right to open what is sealed (log.payload): who asked is encrypted in this log',
          );
        subject = await names.pseudonym(query.principal);
        if (subject === undefined) return { rows: [] };
      }
      if (query.id !== undefined) {
        const found = await live.find(query.id, reveal);
        const entry = found && readEntry(Buffer.from(found.text));
        if (found === undefined || entry?.schema !== 'glacis.decision/1') return { rows: [] };
        return { rows: [decisionRow(found.entry, entry, await whoOf(entry, reveal))] };
      }
      const found = index.find(query, most, subject);
      const bytes = await reader.read(log, found.entries);
      const rows: DecisionRow[] = [];
      for (const [i, each] of bytes.entries()) {
        const entry = each && readEntry(each);
        if (entry?.schema !== 'glacis.decision/1') continue;
        const who = await whoOf(entry, reveal);
        const row = decisionRow(found.entries[i]!, entry, who);
        if (
          isMeant(
            row,
            entry.decision.digest,
            query,
            subject !== undefined ? entry.subject === subject : undefined,
          )
        )
          rows.push(row);
      }
      return { rows, ...(found.next !== undefined && { next: String(found.next) }) };
    },
    async find(which, reveal) {
      const found = await entryOf(which);
      return (
        found && entryDetail(found.place, found.bytes, found.entry && (await whoOf(found.entry, reveal)))
      );
    },
    async input(which) {
      const found = await entryOf(which);
      if (found?.entry?.schema !== 'glacis.decision/1') return undefined;
      return keptInput(found.place, found.entry, { names, payloads });
    },
    state() {
      const { checkpoint } = log ?? {};
      return {
        size: checkpoint?.size ?? 0,
        at: (checkpoint?.at ?? 0) * 1000,
        root: checkpoint === undefined ? '' : Buffer.from(checkpoint.root).toString('base64'),
        indexed: index.state?.next ?? 0,
      };
    },
  };
  return live;
}

/** The index may be wrong: what it points to is compared with the question. */
function isMeant(
  row: DecisionRow,
  digest: string | undefined,
  query: DecisionQuery,
  isSubject: boolean | undefined,
): boolean {
  const same = (wanted: string | undefined, got: string | undefined) =>
    wanted === undefined || wanted === got;
  return (
    (isSubject ?? same(query.principal, row.principal)) &&
    // Sealed and not opened: the index does not have it either.
    same(query.tenant, row.tenant) &&
    same(query.model, row.model) &&
    same(query.outcome, row.outcome) &&
    same(query.digest, digest) &&
    row.at >= (query.from ?? row.at) &&
    row.at <= (query.to ?? row.at)
  );
}
