import type { BudgetClock } from './budget-clock.ts';
import type { Account, BudgetLedger, Posted } from './budget-ledger.ts';
import { type Step, stepAt } from './budget-slots.ts';

/** What counters share. */
export interface CounterSetting {
  readonly ledger: BudgetLedger;
  readonly clock: BudgetClock;
  /** A clock that is never set, in milliseconds. */
  readonly monotonic: () => number;
  /** Queries taken from the store at once. */
  readonly lease: number;
  /** Milliseconds that a call waits. */
  readonly timeout: number;
}

/** An account that had nothing more is asked again after this long, and a store that failed is, in milliseconds. */
const ASK_AGAIN = 1000;
const TRY_AGAIN = 500;

/** A budget as one gateway sees it: what it holds of it, and how it gets more. */
export interface Counter {
  readonly account: Account;
  /** What can be taken at once now. */
  held(): number;
  /** Takes `n`, which must be held. Gets more in the background before it runs out. */
  take(n: number): void;
  /** Gives back `n` that were taken in this step; earlier ones stay taken. */
  refund(n: number): void;
  /** Takes what the store could not be asked for. */
  owe(n: number): void;
  /** Whether the account had less than was wanted, a moment ago. */
  isExhausted(): boolean;
  /** Waits until more is held, or the account is known to have no more. Errors: those of the store, or that it did not answer in time. */
  more(n: number): Promise<void>;
  /** Queries used, as far as known: those that other gateways hold count as used. */
  used(): number;
  /** Gives back what is held. */
  settle(): Promise<void>;
  /** When it was last asked, by the monotonic clock. */
  readonly askedAt: number;
  /** Whether it may be forgotten. */
  isIdle(): boolean;
}

/**
 * A gateway's share of a budget. It takes a lease from the store, on the disk before a query of it is used, so that a crash loses at most
 * a lease and never gives one back. A lease is of one step of the window and ends with it: used later, it would count as used earlier than
 * it was.
 */
export function budgetCounter(account: Account, setting: CounterSetting): Counter {
  const { ledger, clock, monotonic, timeout } = setting;
  const lease = Math.max(1, Math.min(setting.lease, Math.floor(account.limit / 100)));
  let step: Step = { from: 0, to: 0 };
  let left = 0;
  /** Taken from the lease's step, as far as it may be refunded. */
  let spent = 0;
  let debt = 0;
  let demand = 0;
  /** In the window by the store, what is held included. */
  let taken = 0;
  let exhaustedUntil = 0;
  let failedUntil = 0;
  let failure: unknown;
  let underWay: Promise<Posted> | undefined;
  let askedAt = monotonic();

  const isCurrent = () => clock.time() < step.to;

  const post = (want: () => number): Promise<Posted> => {
    let back: { readonly step: Step; readonly n: number } | undefined;
    let owed = 0;
    let now: Step = step;
    const posting = ledger.post(() => {
      const time = clock.time();
      now = stepAt(time, account.window);
      // What is left of a step that is over goes back; once it is written so, it is nobody's.
      if (!back && left > 0 && now.from !== step.from) {
        back = { step, n: left };
        left = 0;
      }
      owed += debt;
      debt = 0;
      return { account, time, step: now, back, debt: owed, want: want() };
    });
    underWay = posting;
    return posting.then(
      (posted) => {
        underWay = undefined;
        if (step.from !== now.from) {
          step = now;
          left = 0;
          spent = 0;
        }
        left += posted.granted;
        taken = posted.taken;
        return posted;
      },
      (thrown) => {
        underWay = undefined;
        debt += owed;
        failure = thrown;
        failedUntil = monotonic() + TRY_AGAIN;
        throw thrown;
      },
    );
  };

  /** Gets a lease, or what those who wait need. */
  const refill = async () => {
    await underWay?.catch(() => {});
    let wanted = 0;
    const { granted } = await post(() => {
      wanted = Math.max(0, Math.max(lease, demand) - (isCurrent() ? left : 0));
      return wanted;
    });
    if (granted < wanted) exhaustedUntil = monotonic() + ASK_AGAIN;
  };

  let refilling: Promise<void> | undefined;
  /** What has been waited for too long. Nothing else may be posted until it is over. */
  let overdue: Promise<Posted> | undefined;
  const refillOnce = (): Promise<void> => {
    refilling ??= within(refill(), timeout, () => {
      overdue = underWay;
    }).finally(() => {
      refilling = undefined;
    });
    return refilling;
  };

  return {
    account,
    held: () => (isCurrent() ? left : 0),
    take(n) {
      askedAt = monotonic();
      left -= n;
      spent += n;
      if (left < lease / 2 && !underWay && !refilling && exhaustedUntil <= askedAt && failedUntil <= askedAt)
        refillOnce().catch(() => {});
    },
    refund(n) {
      if (!isCurrent()) return;
      const given = Math.min(n, spent);
      spent -= given;
      left += given;
      exhaustedUntil = 0;
    },
    owe(n) {
      debt += n;
    },
    isExhausted: () => exhaustedUntil > monotonic(),
    async more(n) {
      askedAt = monotonic();
      if (failedUntil > askedAt) throw failure;
      if (overdue && overdue === underWay) throw new Error('the store does not answer in time');
      demand += n;
      try {
        await refillOnce();
      } finally {
        demand -= n;
      }
    },
    used: () => Math.max(0, taken - (isCurrent() ? left : 0)) + debt,
    async settle() {
      if (refilling) await refilling.catch(() => {});
      if (underWay || (left === 0 && debt === 0)) return;
      // Out of reach before it is given back: nothing can be used and given back at once.
      const back = { step, n: left };
      left = 0;
      spent = 0;
      const owed = debt;
      debt = 0;
      const posting = ledger.post(() => {
        const time = clock.time();
        return { account, time, step: stepAt(time, account.window), back, debt: owed, want: 0 };
      });
      underWay = posting;
      try {
        taken = (await posting).taken;
      } catch (thrown) {
        debt += owed;
        throw thrown;
      } finally {
        underWay = undefined;
      }
    },
    get askedAt() {
      return askedAt;
    },
    isIdle: () => !underWay && !refilling && left === 0 && debt === 0,
  };
}

/** The promise's value, or an error where it takes longer; what it does goes on. */
function within<T>(promise: Promise<T>, milliseconds: number, tooLong: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      tooLong();
      reject(new Error('the store does not answer in time'));
    };
    // Where the whole process stood still, the answer is there and has not been read: it comes before this turn of the loop ends.
    let last: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => {
      last = setImmediate(giveUp);
    }, milliseconds);
    promise
      .finally(() => {
        clearTimeout(timer);
        clearImmediate(last);
      })
      .then(resolve, reject);
  });
}
