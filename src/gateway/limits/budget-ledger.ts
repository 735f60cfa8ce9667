import type { CompiledQuery } from 'kysely';
import { GlacisError } from '../../core/error.ts';
import type { BudgetRow, Outcome, Store } from '../../store/index.ts';
import { type BudgetClock, MOST_APART } from './budget-clock.ts';
import { counting, readSlots, type Slot, type Step, sumOf, withTaken, writeSlots } from './budget-slots.ts';

/** A budget as the store keeps it. */
export interface Account {
  readonly id: string;
  readonly scope: string;
  readonly subject: string;
  readonly model: string;
  /** Milliseconds. */
  readonly window: number;
  readonly limit: number;
}

/** What is to be written to an account, in one step. */
export interface Posting {
  readonly account: Account;
  /** The budgets' time. */
  readonly time: number;
  /** The step that lasts at `time`. */
  readonly step: Step;
  /** Given back to an earlier or to this step. */
  readonly back: { readonly step: Step; readonly n: number } | undefined;
  /** Has been used, whatever the limit says. */
  readonly debt: number;
  /** Wanted: as much of it is granted as there is. */
  readonly want: number;
}

/** What was written. */
export interface Posted {
  readonly granted: number;
  /** Queries in the window afterwards, those granted and those that other gateways hold included. */
  readonly taken: number;
}

/** Writes postings to the store. At most one posting of an account may be under way. */
export interface BudgetLedger {
  /** Resolves once it is on the disk. Errors: those of the store; then nothing was granted, though it may have been taken. */
  post(make: () => Posting): Promise<Posted>;
  /** Queries in the window, those that gateways hold included. */
  taken(account: Account, time: number): Promise<number>;
  /** Drops what is remembered of an account that nobody asks for any more. */
  forget(id: string): void;
}

/** Accounts written at once. */
const MOST_AT_ONCE = 200;

/** How often a posting is tried that other gateways got in the way of. Each time one of them got its own through. */
const MOST_TRIES = 200;

interface Known {
  readonly revision: number;
  readonly slots: readonly Slot[];
}

/**
 * Budgets in the store. An account is one row with a revision: a posting reads it, computes, and writes it only if the revision is still the
 * one that was read; otherwise it begins again. So what is granted never passes the limit, whoever else writes. What was read last is
 * remembered, so that a gateway that is alone with an account needs one statement. Postings that come while others are being written are
 * written together. `make` is asked when a posting's turn has come.
 */
export function budgetLedger(store: Store, clock: BudgetClock): BudgetLedger {
  const known = new Map<string, Known>();
  interface Waiting {
    readonly make: () => Posting;
    readonly resolve: (posted: Posted) => void;
    readonly reject: (error: unknown) => void;
    tries: number;
  }
  let queue: Waiting[] = [];
  let isPumping = false;

  const selectOf = (id: string) =>
    store.db.selectFrom('budgets').select(['slots', 'revision']).where('id', '=', id).compile();

  const read = async (ids: readonly string[]): Promise<void> => {
    const outcomes = await store.each(ids.map(selectOf));
    for (const [i, outcome] of outcomes.entries()) known.set(ids[i]!, knownFrom(outcome));
  };

  const write = async (batch: readonly Waiting[]): Promise<readonly Waiting[]> => {
    await clock.sync();
    const postings = batch.map(({ make }) => make());
    const unread = postings.map(({ account }) => account.id).filter((id) => !known.has(id));
    if (unread.length > 0) await read(unread);
    const again: Waiting[] = [];
    const changes = batch.flatMap((waiting, i) => {
      const posting = postings[i]!;
      const { id } = posting.account;
      const before = known.get(id)!;
      const plan = planOf(posting, before);
      if (posting.back || posting.debt > 0 || plan.granted > 0) return [{ waiting, posting, before, plan }];
      // There is nothing left, so there is nothing to write: if that was read just now, and is not a memory.
      if (unread.includes(id)) waiting.resolve(plan);
      else {
        known.delete(id);
        again.push(waiting);
      }
      return [];
    });
    if (changes.length === 0) return again;
    const outcomes = await store.each(
      changes.map(({ posting, before, plan }) => statementOf(store, posting, before.revision, plan)),
    );
    for (const [i, outcome] of outcomes.entries()) {
      const { waiting, posting, plan } = changes[i]!;
      const { slots, revision, granted, taken } = plan;
      const { id } = posting.account;
      if ('error' in outcome) {
        known.delete(id);
        waiting.reject(outcome.error);
      } else if (outcome.changes === 1) {
        known.set(id, { revision, slots });
        waiting.resolve({ granted, taken });
      } else {
        // Another gateway was here.
        known.delete(id);
        if (++waiting.tries < MOST_TRIES) again.push(waiting);
        else
          waiting.reject(
            new GlacisError('store/unavailable', 'budgets: the store is written to by too many at once'),
          );
      }
    }
    return again;
  };

  const pump = async () => {
    isPumping = true;
    // Whoever asks in the same turn of the loop is written together.
    await new Promise((resolve) => setImmediate(resolve));
    while (queue.length > 0) {
      const batch = queue.slice(0, MOST_AT_ONCE);
      queue = queue.slice(MOST_AT_ONCE);
      try {
        queue = [...(await write(batch)), ...queue];
      } catch (thrown) {
        known.clear();
        for (const { reject } of batch) reject(thrown);
      }
    }
    isPumping = false;
  };

  return {
    post: (make) =>
      new Promise((resolve, reject) => {
        queue.push({ make, resolve, reject, tries: 0 });
        if (!isPumping) void pump();
      }),
    async taken({ id, window }, time) {
      const [outcome] = await store.each([selectOf(id)]);
      return sumOf(counting(knownFrom(outcome!).slots, time, window + MOST_APART));
    },
    forget: (id) => known.delete(id),
  };
}

function knownFrom(outcome: Outcome): Known {
  if ('error' in outcome) throw outcome.error;
  const row = outcome.rows[0] as Pick<BudgetRow, 'slots' | 'revision'> | undefined;
  return row === undefined
    ? { revision: 0, slots: [] }
    : { revision: row.revision, slots: readSlots(row.slots) };
}

interface Plan extends Posted, Known {}

/**
 * What an account holds after a posting. A new account's revision begins at the budgets' time, which is past every revision that an account
 * of the same name had before it was deleted: no gateway can take the one for the other.
 */
function planOf({ account, time, step, back, debt, want }: Posting, { slots, revision }: Known): Plan {
  let next = counting(slots, time, account.window + MOST_APART);
  if (back) next = withTaken(next, back.step, -back.n);
  if (debt > 0) next = withTaken(next, step, debt);
  const granted = Math.max(0, Math.min(want, account.limit - sumOf(next)));
  if (granted > 0) next = withTaken(next, step, granted);
  return {
    slots: next,
    revision: revision === 0 ? Math.max(1, Math.floor(time)) : revision + 1,
    granted,
    taken: sumOf(next),
  };
}

/** Writes a plan over what was read, if that is still what is there. */
function statementOf(
  store: Store,
  { account }: Posting,
  read: number,
  { slots, revision }: Plan,
): CompiledQuery {
  const { id, scope, subject, model, window } = account;
  const ends = slots.reduce((last, [, to]) => Math.max(last, to), 0) + window + MOST_APART;
  const values = { slots: writeSlots(slots), revision, ends };
  return read === 0
    ? store.db
        .insertInto('budgets')
        .values({ id, scope, subject, model, ...values })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .compile()
    : store.db.updateTable('budgets').set(values).where('id', '=', id).where('revision', '=', read).compile();
}
