import type { Store } from '../../store/index.ts';

/** The row of table `state` that holds the time: `changed` is the budgets' time, `value` the system's clock when it was written. */
const ROW = 'budget-time';

/** How often the time is written down, in milliseconds: so much of it is lost at most when the process is killed. */
const WRITE_EVERY = 60_000;

/**
 * How far the times of two gateways that write to the store are apart at most, in milliseconds: one that starts goes on from a time that was
 * written down up to {@link WRITE_EVERY} ago, and nobody writes to a budget without having written down the time that recently.
 */
export const MOST_APART = 2 * WRITE_EVERY;

/** The time that budgets go by. */
export interface BudgetClock {
  /** Milliseconds. Only the difference between two times means something. */
  readonly time: () => number;
  /** Writes the time down and takes over what other gateways wrote, where that was not done lately. Errors: those of the store. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What the clock is made from. */
export interface BudgetClockOptions {
  readonly store: Store;
  /** A clock that is never set, in milliseconds. */
  readonly monotonic: () => number;
  /** The system's clock. */
  readonly now: () => number;
  readonly mostDowntime: number;
}

/**
 * A clock that nobody can set: it runs while some gateway runs, by the machine's count of time since its start, and stands still while none
 * does. So neither setting the system's clock nor a restart brings a budget back sooner. It goes on from the highest time that was written
 * down; several gateways share it, and all run at the same rate. `mostDowntime` trusts the system's clock for that much of a standstill.
 * Sound because each gateway adds only time that has passed on its own machine since it read the shared time.
 */
export async function openBudgetClock(options: BudgetClockOptions): Promise<BudgetClock> {
  const { store, monotonic, now, mostDowntime } = options;
  let base = 0;
  let readAt = monotonic();
  const time = () => base + Math.max(0, monotonic() - readAt);
  const adopt = (shared: number) => {
    const mine = time();
    if (shared <= mine) return;
    base = shared;
    readAt = monotonic();
  };
  let syncedAt = Number.NEGATIVE_INFINITY;
  const write = async () => {
    const startedAt = monotonic();
    const mine = Math.floor(time());
    const row = await store.db
      .updateTable('state')
      .set((eb) => ({
        changed: eb.case().when('changed', '>', mine).then(eb.ref('changed')).else(mine).end(),
        value: String(now()),
      }))
      .where('name', '=', ROW)
      .returning('changed')
      .executeTakeFirstOrThrow();
    adopt(row.changed);
    syncedAt = startedAt;
  };
  await store.db
    .insertInto('state')
    .values({ name: ROW, value: String(now()), changed: now() })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  const row = await store.db
    .selectFrom('state')
    .select(['changed', 'value'])
    .where('name', '=', ROW)
    .executeTakeFirstOrThrow();
  const stood = now() - Number(row.value);
  base = row.changed + (mostDowntime > 0 ? Math.min(Math.max(stood, 0), mostDowntime) || 0 : 0);
  readAt = monotonic();
  await write();
  // A time that could not be written down is behind at the next start: later, and so on the safe side.
  const timer = setInterval(() => write().catch(() => {}), WRITE_EVERY);
  timer.unref();
  return {
    time,
    async sync() {
      if (monotonic() - syncedAt > WRITE_EVERY) await write();
    },
    async close() {
      clearInterval(timer);
      await write();
    },
  };
}
