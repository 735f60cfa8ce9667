import { Refused } from '../refusal.ts';
import { addressKeys } from './address-key.ts';
import { type BoundedTimes, boundedTimes } from './bounded-times.ts';
import { type Meter, metersOf, nextArrival } from './meter.ts';
import type { RatesConfig } from './rates-schema.ts';

/** Who takes, as limits see it. */
export type Taker = Parameters<import('../limits.ts').Rates['take']>[0];

/** Limits of one process: answers at once. */
export interface LocalRates {
  take(who: Taker, n: number): number | undefined;
  /** Other limits from now on; those that stay the same remember what was taken. */
  change(limits: RatesConfig['limits']): void;
  /** Callers that are told apart now, over all limits. */
  readonly tracked: () => number;
}

/**
 * Limits that this process counts by itself. Cost: a look-up and a few sums a limit. `now` is a clock that is never set, in milliseconds.
 */
export function localRates(config: RatesConfig, now: () => number = () => performance.now()): LocalRates {
  let meters = metersOf(config);
  let tables: readonly BoundedTimes[] = meters.map(() => boundedTimes(config.mostTracked));
  const keyOf = addressKeys(config.ipv6Prefix);
  let names: (string | undefined)[] = meters.map(() => undefined);
  let arrivals = new Float64Array(meters.length);
  return {
    take(who, n) {
      const time = now();
      let wait = 0;
      for (let i = 0; i < meters.length; i++) {
        const meter = meters[i]!;
        const name = takerName(meter, who, keyOf);
        names[i] = name;
        if (name === undefined) continue;
        const cost = costOf(meter, n);
        const next = nextArrival(meter, tables[i]!.get(name), cost, time);
        arrivals[i] = next;
        wait = Math.max(wait, next - meter.period - time);
      }
      // Rounding in the last bit is not a reason to wait.
      if (wait > 1e-6) return Math.ceil(wait / 1000);
      for (let i = 0; i < meters.length; i++) {
        const name = names[i];
        if (name !== undefined) tables[i]!.set(name, arrivals[i]!, time);
      }
      return undefined;
    },
    change(limits) {
      const before = new Map(meters.map(({ name }, i) => [name, tables[i]!]));
      meters = metersOf({ ...config, limits });
      tables = meters.map(({ name }) => before.get(name) ?? boundedTimes(config.mostTracked));
      names = meters.map(() => undefined);
      arrivals = new Float64Array(meters.length);
    },
    tracked: () => tables.reduce((sum, { size }) => sum + size, 0),
  };
}

/** What a limit knows a caller by; undefined where it does not apply: nobody has been identified. */
export function takerName(
  { per }: Meter,
  { principal, address }: Taker,
  keyOf: (address: string) => string,
): string | undefined {
  switch (per) {
    case 'principal':
      return principal?.id;
    case 'key':
      return principal?.credential;
    case 'tenant':
      return principal?.tenant;
    case 'address':
      return keyOf(address);
    case 'all':
      return '';
  }
}

/** What a request of `n` samples takes. Errors: `Refused` `too-large` where the limit could never let it through; `failed`. */
export function costOf(meter: Meter, n: number): number {
  // Less than one would give something back.
  if (!(Number.isSafeInteger(n) && n > 0)) throw new Refused('failed', `rates: a request of ${n} samples`);
  if (meter.counts === 'requests') return 1;
  if (n > meter.limit)
    throw new Refused('too-large', `a request of ${n} samples can never pass the limit ${meter.name}`);
  return n;
}
