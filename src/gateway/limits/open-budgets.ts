import { setTimeout as sleep } from 'node:timers/promises';
import { GlacisError } from '../../core/error.ts';
import { fitsPattern } from '../../policy/name-pattern.ts';
import type { Store } from '../../store/index.ts';
import { BUDGET_STEPS, type BudgetStep, type Budgets } from '../limits.ts';
import type { Principal } from '../principal.ts';
import { Refused } from '../refusal.ts';
import { openBudgetClock } from './budget-clock.ts';
import { budgetCounter, type Counter, type CounterSetting } from './budget-counter.ts';
import { type Account, budgetLedger } from './budget-ledger.ts';
import { BUDGET_SCOPES, type BudgetLimit, type BudgetScope, type BudgetsConfig } from './budgets-schema.ts';

/** How often it is looked for budgets that nobody uses, and how long nobody must have, in milliseconds: then what is held goes back. */
const LOOK_EVERY = 5000;
const IDLE = 30_000;

/** How long a change of limits may take, in milliseconds. */
const LONGEST_CHANGE = 10_000;

/** Budgets looked at when there is no room for another. */
const LOOKED_AT = 64;

/** What budgets need from outside. */
export interface BudgetsSurroundings {
  readonly store: Store;
  /** The system's clock. */
  readonly now?: () => number;
  /** A clock that is never set, in milliseconds. */
  readonly monotonic?: () => number;
}

/** What is used and left of one budget. */
export interface BudgetUse {
  readonly scope: BudgetScope;
  /** Queries used; those that gateways hold and have not used yet count as used, except this one's. */
  readonly used: number;
  readonly limit: number;
  /** Milliseconds. */
  readonly window: number;
  readonly step: BudgetStep;
}

/** How the budgets of one scope stand that are in use here. */
export interface BudgetStanding {
  readonly scope: BudgetScope;
  /** How many have reached each step. */
  readonly counts: Readonly<Record<BudgetStep, number>>;
  /** The largest share used of any of them; 0 where there are none. */
  readonly share: number;
}

/** Budgets, with what the management side asks for and their end. */
export interface OpenBudgets extends Budgets {
  refund(principal: Principal, model: string, n: number): void;
  /** What is used of every budget that a call of this principal meets. Errors: those of the store. */
  uses(principal: Pick<Principal, 'id' | 'tenant'>, model: string): Promise<readonly BudgetUse[]>;
  /** The largest share used of the budgets that a call of this principal meets, as far as this gateway knows without asking; 0 where it does not. */
  share(principal: Pick<Principal, 'id' | 'tenant'>, model: string): number;
  /** How those stand that calls met here lately, as far as this gateway knows without asking. Cost: one look at each. */
  standing(): readonly BudgetStanding[];
  /** The time that budgets go by, which nobody can set: budgets that have ended before it are swept. */
  readonly time: () => number;
  /**
   * Other limits and steps from now on. What was used stays used: an account is told by who and which model, not by its limit. What this gateway holds is given back
   * first, and calls wait that long. Errors: those of the store; then nothing has changed.
   */
  change(next: Pick<BudgetsConfig, 'limits' | 'steps'>): Promise<void>;
  /** Gives back what is held and not used. */
  close(): Promise<void>;
}

/**
 * Opens the budgets of `serve.budgets`. `take` answers at once while enough is held, which is nearly always, because leases are renewed before
 * they run out. Nothing ever passes a limit, with any number of gateways, crashes and restarts: what is used has been written down as used
 * before. In the other direction a caller may lose: at most a lease at a crash, and near the end, for half a minute at most, what other
 * gateways hold and do not use. Errors: those of the store, `option/invalid`.
 */
export async function openBudgets(
  first: BudgetsConfig,
  surroundings: BudgetsSurroundings,
): Promise<OpenBudgets> {
  let config = first;
  const { store, now = Date.now, monotonic = () => performance.now() } = surroundings;
  const clock = await openBudgetClock({ store, monotonic, now, mostDowntime: config.mostDowntime ?? 0 });
  const ledger = budgetLedger(store, clock);
  const setting: CounterSetting = { ledger, clock, monotonic, lease: config.lease, timeout: config.timeout };
  const counters = new Map<string, Counter>();
  let routes = new Map<string, readonly Counter[]>();
  let walk = counters.entries();
  let isClosed = false;
  /** Settles when a change of limits is over; calls wait for it. */
  let changing: Promise<void> | undefined;

  const forget = (id: string) => {
    counters.delete(id);
    ledger.forget(id);
    if (routes.size > 0) routes = new Map();
  };
  const makeRoom = () => {
    for (let looked = 0; looked < LOOKED_AT && counters.size >= config.mostTracked; looked++) {
      const next = walk.next();
      if (next.done) walk = counters.entries();
      else if (next.value[1].isIdle()) forget(next.value[0]);
    }
    if (counters.size >= config.mostTracked)
      throw new Refused('unavailable', `budgets: ${counters.size} are in use`, { retryAfter: 5 });
  };
  const counterOf = (account: Account): Counter => {
    const found = counters.get(account.id);
    if (found) return found;
    makeRoom();
    const counter = budgetCounter(account, setting);
    counters.set(account.id, counter);
    return counter;
  };
  const routeOf = (principal: Principal, model: string): readonly Counter[] => {
    const name = `${principal.id}\0${principal.tenant}\0${model}`;
    const found = routes.get(name);
    if (found) return found;
    const route = accountsOf(config.limits, principal, model).map(counterOf);
    if (routes.size >= config.mostTracked) routes = new Map();
    routes.set(name, route);
    return route;
  };

  const stepOf = (used: number, limit: number): BudgetStep => {
    const { rounded, top1, label } = config.steps;
    const share = used / limit;
    if (label !== undefined && share > label) return 'label';
    if (top1 !== undefined && share > top1) return 'top1';
    return rounded !== undefined && share > rounded ? 'rounded' : 'full';
  };
  /** Takes `n` where all have it; `refuse` where one has not and gets none; undefined where the store must be asked. */
  const takeHeld = (route: readonly Counter[], n: number): BudgetStep | undefined => {
    let lacks = false;
    for (const counter of route) {
      if (n > counter.account.limit) return 'refuse';
      if (counter.held() >= n) continue;
      if (counter.isExhausted()) return 'refuse';
      lacks = true;
    }
    if (lacks) return undefined;
    let step: BudgetStep = 'full';
    for (const counter of route) {
      counter.take(n);
      step = stricter(step, stepOf(counter.used(), counter.account.limit));
    }
    return step;
  };
  const takeWhenThere = async (principal: Principal, model: string, n: number): Promise<BudgetStep> => {
    const until = monotonic() + config.timeout;
    for (;;) {
      await changing?.catch(() => {});
      const route = routeOf(principal, model);
      try {
        await Promise.all(
          route
            .filter((counter) => counter.held() < n && !counter.isExhausted())
            .map((counter) => counter.more(n)),
        );
        // Limits that changed meanwhile have counters of their own.
        const step = changing === undefined ? takeHeld(routeOf(principal, model), n) : undefined;
        if (step !== undefined) return step;
        if (monotonic() > until) throw new Error('too many calls wait for the same budget');
      } catch (thrown) {
        const because = thrown instanceof Error ? thrown.message : String(thrown);
        if (config.storeGone === 'refuse')
          throw new Refused('unavailable', `budgets: ${because}`, { retryAfter: 1, cause: thrown });
        if (route.some((counter) => counter.isExhausted() && counter.held() < n)) return 'refuse';
        for (const counter of route) counter.held() >= n ? counter.take(n) : counter.owe(n);
        return 'label';
      }
    }
  };

  const settleIdle = async () => {
    const long = monotonic() - IDLE;
    for (const [id, counter] of counters) {
      if (counter.askedAt > long) continue;
      if (counter.isIdle()) forget(id);
      // Debts and leases that cannot be written now are tried again the next time round.
      else void counter.settle().catch(() => {});
    }
  };
  const timer = setInterval(settleIdle, LOOK_EVERY);
  timer.unref();

  const uses: OpenBudgets['uses'] = async (principal, model) =>
    Promise.all(
      accountsOf(config.limits, principal, model).map(async (account) => {
        const taken = await ledger.taken(account, clock.time());
        const used = Math.max(0, taken - (counters.get(account.id)?.held() ?? 0));
        const { scope, limit, window } = account;
        return {
          scope: scope as BudgetScope,
          used,
          limit,
          window,
          step: used >= limit ? 'refuse' : stepOf(used, limit),
        };
      }),
    );

  return {
    take(principal, model, n) {
      if (isClosed) throw new Refused('unavailable', 'budgets: closed');
      // Less than one would give something back.
      if (!(Number.isSafeInteger(n) && n > 0)) throw new Refused('failed', `budgets: ${n} queries`);
      if (changing !== undefined) return takeWhenThere(principal, model, n);
      return takeHeld(routeOf(principal, model), n) ?? takeWhenThere(principal, model, n);
    },
    refund(principal, model, n) {
      if (config.failed === 'count' || isClosed || !(n > 0)) return;
      for (const counter of routeOf(principal, model)) counter.refund(n);
    },
    async state(principal, model) {
      const all = await uses({ id: principal, tenant: '' }, model);
      const own = all.find(({ scope }) => scope === 'principal');
      return own ?? { used: 0, limit: Number.POSITIVE_INFINITY, step: 'full' };
    },
    uses,
    async change({ limits, steps }) {
      while (changing !== undefined) await changing.catch(() => {});
      const settle = async () => {
        const until = monotonic() + LONGEST_CHANGE;
        for (const counter of counters.values())
          for (;;) {
            await counter.settle();
            if (counter.isIdle()) break;
            if (monotonic() > until)
              throw new GlacisError('store/unavailable', 'budgets: the store does not answer in time');
            await sleep(5);
          }
      };
      changing = settle().then(() => {
        // From here to the end nobody else comes in between.
        config = { ...config, limits, steps };
        for (const id of counters.keys()) ledger.forget(id);
        counters.clear();
        routes = new Map();
        walk = counters.entries();
      });
      try {
        await changing;
      } finally {
        changing = undefined;
      }
    },
    share: (principal, model) =>
      accountsOf(config.limits, principal, model).reduce((most, { id, limit }) => {
        const used = counters.get(id)?.used() ?? 0;
        return Math.max(most, used / limit);
      }, 0),
    standing: () =>
      BUDGET_SCOPES.map((scope) => {
        const counts: Record<BudgetStep, number> = { full: 0, rounded: 0, top1: 0, label: 0, refuse: 0 };
        let share = 0;
        for (const counter of counters.values()) {
          const { account } = counter;
          if (account.scope !== scope) continue;
          const used = counter.used();
          counts[used >= account.limit ? 'refuse' : stepOf(used, account.limit)]++;
          share = Math.max(share, used / account.limit);
        }
        return { scope, counts, share };
      }),
    time: clock.time,
    async close() {
      if (isClosed) return;
      isClosed = true;
      clearInterval(timer);
      const settled = await Promise.allSettled([...counters.values()].map((counter) => counter.settle()));
      await clock.close();
      for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason;
    },
  };
}

/** The accounts that a call is counted on: of each scope the first budget that fits. */
function accountsOf(
  limits: readonly BudgetLimit[],
  principal: Pick<Principal, 'id' | 'tenant'>,
  model: string,
): readonly Account[] {
  return BUDGET_SCOPES.flatMap((scope) => {
    const subject = { principal: principal.id, tenant: principal.tenant, model: '' }[scope];
    const budget = limits.find(
      ({ per, who, models }) =>
        per === scope &&
        models.some((pattern) => fitsPattern(pattern, model)) &&
        (scope === 'model' || who.some((pattern) => fitsPattern(pattern, subject))),
    );
    if (!budget) return [];
    const counted = budget.together ? budget.models.join(' ') : model;
    return [
      {
        id: JSON.stringify([scope, subject, counted]),
        scope,
        subject,
        model: counted,
        window: budget.window,
        limit: budget.queries,
      },
    ];
  });
}

function stricter(a: BudgetStep, b: BudgetStep): BudgetStep {
  return BUDGET_STEPS.indexOf(a) > BUDGET_STEPS.indexOf(b) ? a : b;
}
