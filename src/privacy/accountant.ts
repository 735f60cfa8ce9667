import { GlacisError } from '../core/error.ts';
import { mergeOptions } from '../core/options.ts';
import { type PldOptions, pldDelta, pldEpsilon } from './pld-accountant.ts';
import { checkDelta, checkEpsilon, joined, type PrivateRun } from './private-run.ts';
import { checkOrders, deltaFromRdp, epsilonFromRdp, RDP_ORDERS, rdpCurve } from './rdp-accountant.ts';
import type { Accountant, PrivacyStatement } from './statement.ts';

/** How to account; every key has a default. */
export interface AccountingOptions extends PldOptions {
  /** Default `pld`. */
  readonly accountant?: Accountant;
  /** Orders of the RDP accountant. Default {@link RDP_ORDERS}. */
  readonly orders?: readonly number[];
}

const DEFAULTS: Required<Omit<AccountingOptions, 'signal'>> & { readonly signal: AbortSignal | undefined } = {
  accountant: 'pld',
  orders: RDP_ORDERS,
  accuracy: 0.005,
  mostPlaces: 2 ** 20,
  signal: undefined,
};

/**
 * The epsilon that training `runs`, all on the same data, promises at `delta`.
 *
 * ```ts
 * epsilonFor([{ rate: 240 / 60000, noise: 1.1, steps: 15000 }], 1e-5).epsilon; // 2.2954
 * ```
 *
 * Errors: `option/invalid`, `option/unknown`; `privacy/precision` where doubles cannot hold the answer; `run/cancelled`.
 * Cost: RDP some milliseconds a run, PLD about a second.
 */
export function epsilonFor(
  runs: readonly PrivateRun[],
  delta: number,
  options: AccountingOptions = {},
): PrivacyStatement {
  const { accountant, orders, ...how } = checked(options);
  checkDelta(delta);
  const all = joined(runs);
  if (accountant === 'rdp') {
    const { value, order } = epsilonFromRdp(rdpCurve(all, orders), orders, delta);
    return { ...frame(all, accountant), epsilon: finite(value), delta, order, orders };
  }
  const { upper, lower, direction } = pldEpsilon(all, delta, how);
  return { ...frame(all, accountant), epsilon: upper, delta, epsilonLower: lower, direction };
}

/** The delta that training `runs` promises at `epsilon` ≥ 0; otherwise as {@link epsilonFor}. */
export function deltaFor(
  runs: readonly PrivateRun[],
  epsilon: number,
  options: AccountingOptions = {},
): PrivacyStatement {
  const { accountant, orders, ...how } = checked(options);
  if (epsilon !== 0) checkEpsilon(epsilon);
  const all = joined(runs);
  if (accountant === 'rdp') {
    const { value, order } = deltaFromRdp(rdpCurve(all, orders), orders, epsilon);
    return { ...frame(all, accountant), epsilon, delta: value, order, orders };
  }
  const { upper, lower, direction } = pldDelta(all, epsilon, how);
  return { ...frame(all, accountant), epsilon, delta: upper, deltaLower: lower, direction };
}

function frame(runs: readonly PrivateRun[], accountant: Accountant) {
  return {
    schema: 'glacis.privacy/1',
    accountant,
    sampling: 'poisson',
    neighbours: 'add-or-remove-one',
    runs,
  } as const;
}

/** Options with defaults. Errors: `option/unknown`, `option/invalid`. */
function checked(options: AccountingOptions): typeof DEFAULTS {
  const all = mergeOptions('privacy accounting', DEFAULTS, { ...options });
  if (all.accountant !== 'pld' && all.accountant !== 'rdp')
    throw new GlacisError('option/invalid', `accountant: expected pld or rdp, got '${all.accountant}'`);
  if (!(all.accuracy > 0 && all.accuracy <= 1))
    throw new GlacisError('option/invalid', `accuracy: expected above 0 and at most 1, got ${all.accuracy}`);
  if (!(all.mostPlaces >= 1024 && all.mostPlaces <= 2 ** 24))
    throw new GlacisError('option/invalid', `mostPlaces: expected 1024 to 2^24, got ${all.mostPlaces}`);
  checkOrders(all.orders);
  return all;
}

function finite(epsilon: number): number {
  if (Number.isFinite(epsilon)) return epsilon;
  throw new GlacisError(
    'privacy/precision',
    `epsilon: expected a number that doubles can hold, got ${epsilon}; take more noise`,
  );
}
