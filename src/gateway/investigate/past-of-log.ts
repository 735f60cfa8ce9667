import { throwIfCancelled } from '../../core/cancel.ts';
import { GlacisError } from '../../core/error.ts';
import {
  isWithin,
  type Past,
  type PastDecision,
  type PastPage,
  type PastScope,
} from '../../incident/past.ts';
import type { LogReader } from '../../ledger/index.ts';
import type { SubjectNames } from '../record/live/subject-names.ts';
import { type DecisionEntry, readEntry, type Who } from '../record/read-entry.ts';

/** Entries of a page. */
const PAGE = 2048;
/** Entries read between two turns of others: about two milliseconds. */
const TURN = 256;
/** How far entries may be out of the order of time, in milliseconds: the longest that a call can take, and a clock that was set. */
const SLACK = 900_000;

/** What reading the past needs of a log. */
export interface PastLog {
  /** The log as its newest signed state has it. Errors: those of the log. */
  readonly reader: () => Promise<LogReader>;
  /** The first entry that is not archived. */
  readonly first: number;
  /** Opens who asked, where the log seals that; undefined where there is no key, or nothing is sealed. */
  readonly names?: Pick<SubjectNames, 'pseudonym' | 'whoOf'> | undefined;
}

/**
 * Decisions of the past straight from the log, each bundle verified against the signed state: no index is needed, none can hide anything. A scope with a time begins and ends where the
 * log does about that time. Cost: about 10 µs an entry, in turns of 2 ms. Who is sealed stays unnamed, except whom the scope names.
 */
export function pastOfLog({ reader, first, names }: PastLog): Pick<Past, 'page'> {
  return {
    async page(scope, cursor, signal) {
      const log = await reader();
      const { size } = log.checkpoint;
      const from = cursor > first ? cursor : await beginOf(log, first, scope);
      const decisions: PastDecision[] = [];
      let looked = 0;
      const known = names && whomScopeNames(scope, names);
      let at = from;
      let isEnd = from >= size;
      if (!isEnd)
        for await (const bytes of log.entries(from, signal)) {
          const entry = decisionOf(bytes);
          if (entry !== undefined && entry.decision.at > (scope.to ?? entry.decision.at) + SLACK)
            isEnd = true;
          if (entry !== undefined) {
            const found = pastDecision(at, entry, await known?.(entry));
            if (couldBe(found, scope)) looked++;
            if (isWithin(found, scope)) decisions.push(found);
          }
          at++;
          if (at % TURN === 0) {
            throwIfCancelled(signal, 'log');
            await new Promise(setImmediate);
          }
          if (isEnd || at - from >= PAGE) break;
        }
      return {
        decisions,
        looked,
        cursor: Math.max(at, from),
        of: size,
        isEnd: isEnd || at >= size,
      } satisfies PastPage;
    },
  };
}

/** Says of sealed entries whether they are of the principal and the tenant that a scope names, and nothing else. */
function whomScopeNames(
  { principal, tenant }: PastScope,
  names: NonNullable<PastLog['names']>,
): (entry: DecisionEntry) => Promise<Who | undefined> {
  let pseudonym: Promise<string | undefined> | undefined;
  return async (entry) => {
    if (typeof entry.who !== 'string' || (principal === undefined && tenant === undefined)) return undefined;
    if (principal !== undefined && tenant === undefined) {
      pseudonym ??= names.pseudonym(principal);
      const subject = await pseudonym;
      // One with a key of its own is the subject of its calls: the others need not be opened.
      if (subject !== undefined) return entry.subject === subject ? { principal } : undefined;
    }
    const who = await names.whoOf(entry);
    return {
      ...(who?.principal === principal && { principal }),
      ...(who?.tenant === tenant && { tenant }),
    };
  };
}

/** Decisions by their ids; `byId` gives the bytes of an entry, from an index. */
export function decisionsById(
  byId: (id: string) => Promise<{ readonly entry: number; readonly bytes: Uint8Array } | undefined>,
): Pick<Past, 'find'> {
  return {
    async find(ids, signal) {
      const found: PastDecision[] = [];
      for (const id of new Set(ids)) {
        throwIfCancelled(signal, 'log');
        if (!/^[0-9a-f]{32}$/.test(id)) continue;
        const there = await byId(id);
        const entry = there && decisionOf(there.bytes);
        if (entry?.decision.id === id) found.push(pastDecision(there!.entry, entry));
      }
      return found;
    },
  };
}

/** A decision of the log for searches; `who` where the entry itself does not say. */
export function pastDecision(index: number, { decision, who }: DecisionEntry, known?: Who): PastDecision {
  const { id, at, model, version, digest, n, outcome, because, detail, guards, divergence } = decision;
  const named = typeof who === 'string' ? known : who;
  const top = decision.top as PastDecision['top'];
  return {
    ...{ entry: index, id, at, model, version, digest, n, outcome, guards },
    principal: named?.principal,
    tenant: named?.tenant,
    ...(named?.credential !== undefined && { credential: named.credential }),
    ...(named?.address !== undefined && { address: named.address }),
    ...(because !== undefined && { because }),
    ...(detail !== undefined && { detail }),
    ...(Array.isArray(top) && { top }),
    ...(typeof divergence === 'number' && { divergence }),
  };
}

/** An entry about a decision. What is read here leads to a root that was signed, so this gateway wrote it: a look at its shape is enough. */
function decisionOf(bytes: Uint8Array): DecisionEntry | undefined {
  try {
    const entry = JSON.parse(
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(),
    ) as DecisionEntry;
    if (entry.schema !== 'glacis.decision/1') return undefined;
    return Array.isArray(entry.decision?.guards) && typeof entry.decision.at === 'number' ? entry : undefined;
  } catch {
    return undefined;
  }
}

function couldBe(decision: PastDecision, { model, digest, from, to }: PastScope): boolean {
  return (
    (model === undefined || decision.model === model) &&
    (digest === undefined || decision.digest === digest) &&
    decision.at >= (from ?? decision.at) &&
    decision.at <= (to ?? decision.at)
  );
}

/** The first entry at which something of the scope can be: entries are nearly in the order of time. */
async function beginOf(log: LogReader, first: number, { from }: PastScope): Promise<number> {
  if (from === undefined) return first;
  let [low, high] = [first, log.checkpoint.size];
  while (high - low > TURN) {
    const middle = Math.floor((low + high) / 2);
    if ((await timeOf(log, middle)) < from - SLACK) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function timeOf(log: LogReader, index: number): Promise<number> {
  const entry = readEntry(await log.entry(index));
  if (entry === undefined) return Number.POSITIVE_INFINITY;
  const at = entry.schema === 'glacis.decision/1' ? entry.decision.at : entry.event.at;
  if (!Number.isFinite(at))
    throw new GlacisError('ledger/unreadable', `log: expected entry ${index} with a time`);
  return at;
}
