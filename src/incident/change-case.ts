import { GlacisError } from '../core/error.ts';
import type { Store } from '../store/index.ts';
import type { Case, CaseEvent } from './case.ts';
import { addEvent, type CaseRecord, caseOf, type Database, readCase, writeCase } from './case-store.ts';
import type { IncidentChange } from './change.ts';
import { type LedgerEvent, ledgerEvent } from './ledger-event.ts';

/** What changing a case depends on. */
export interface ChangeSetting {
  readonly store: Store;
  readonly record: (event: LedgerEvent) => Promise<number>;
  readonly now: () => number;
  readonly freshId: () => string;
  readonly notify: (change: IncidentChange) => void;
}

/** One change of a case. */
export interface CaseChange {
  readonly by: string;
  readonly what: CaseEvent['what'];
  /** The event's id, where it follows from something else so that it can be there once only. */
  readonly id?: string | undefined;
  /** The revision that the person saw; without, it does not matter. */
  readonly revision?: number | undefined;
  /** The event as the log has it already. */
  readonly logged?: CaseEvent | undefined;
  /** What else becomes different; may look at the database again, and throws what refuses. */
  readonly apply?: (record: CaseRecord, db: Database) => Promise<CaseRecord> | CaseRecord;
}

/** Events of one case: beyond it nothing more is written into it. */
const MOST_EVENTS = 20_000;

/** The case. Errors: `option/invalid` where there is none. */
export async function needCase(store: Pick<Store, 'db'>, id: string): Promise<CaseRecord> {
  const found = await readCase(store.db, id);
  if (!found) throw new GlacisError('option/invalid', 'case: expected one that there is, got another id');
  return found;
}

/**
 * Changes a case: compared, written into the log, compared again and set, so that what counts is in the log, and of two people who act at once one learns it.
 * A change that the log has and that then loses is followed by `case-conflict` in the log. Errors: `option/invalid`, `store/conflict` (look again), those of the
 * log and of the store (nothing has changed).
 */
export async function changeCase(
  id: string,
  { by, what, id: eventId, revision, logged: given, apply = (record) => record }: CaseChange,
  { store, record, now, freshId, notify }: ChangeSetting,
): Promise<{ readonly case: Case; readonly event: CaseEvent }> {
  const conflict = (why: string) => new GlacisError('store/conflict', `case ${id}: ${why}; look again`);
  const before = await needCase(store, id);
  if (revision !== undefined && before.revision !== revision)
    throw conflict('somebody else has changed it since');
  if (before.events >= MOST_EVENTS)
    throw new GlacisError(
      'option/invalid',
      `case ${id}: expected at most ${MOST_EVENTS} events; open another`,
    );
  await apply(before, store.db);
  const logged = { id: eventId ?? freshId(), case: id, at: now(), by, what };
  const event: CaseEvent = given ?? { ...logged, entry: await record(ledgerEvent(logged)) };
  try {
    const after = await store.transact(async (db) => {
      const there = await readCase(db, id);
      if (!there || (revision !== undefined && there.revision !== revision))
        throw conflict('somebody else was quicker');
      const changed = await addEvent(db, await apply(there, db), event);
      await writeCase(db, changed);
      return changed;
    });
    notify({ kind: 'case', case: caseOf(after), event });
    return { case: caseOf(after), event };
  } catch (thrown) {
    const lost = thrown instanceof GlacisError && ['store/conflict', 'option/invalid'].includes(thrown.code);
    if (lost)
      await record({
        kind: 'event',
        at: now(),
        event: 'case-conflict',
        by,
        about: { case: id, id: event.id },
      });
    if (lost && thrown.code === 'store/conflict') throw conflict('somebody else was quicker');
    throw thrown;
  }
}
