import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Decision } from './decision.ts';
import { countFailures } from './identity/failures.ts';
import { recentMap } from './identity/recent-map.ts';
import { boundedTimes } from './limits/bounded-times.ts';
import { principalFixture, ratesFixture } from './limits/rates.fixture.ts';
import { localRates } from './limits/rates-in-memory.ts';
import { openRefusalFloods } from './refusal-floods.ts';

const MILLION = 1_000_000;
/** Bytes by which memory may grow: a million entries of the smallest kind take three times as much. */
const ROOM = 24 * 2 ** 20;
const PATIENT = 600_000;

/** An address of its own for each number, in a network of its own. */
const addressOf = (i: number) => `2001:db8:${(i >> 16).toString(16)}:${(i & 0xffff).toString(16)}::1`;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
function memory(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('10: a million callers that come once each', () => {
  it.each<[string, () => (i: number) => unknown]>([
    [
      'limits of addresses',
      () => {
        const rates = localRates(
          ratesFixture([{ per: 'address', requests: 1, every: 'hour' }], { mostTracked: 1000 }),
        );
        return (i) => rates.take({ principal: undefined, address: addressOf(i) }, 1);
      },
    ],
    [
      'limits of principals',
      () => {
        const rates = localRates(
          ratesFixture([{ per: 'principal', requests: 1, every: 'hour' }], { mostTracked: 1000 }),
        );
        return (i) => rates.take({ principal: principalFixture(`p${i}`), address: '192.0.2.1' }, 1);
      },
    ],
    [
      'failed attempts to sign in',
      () => {
        const failures = countFailures({ burst: 5, perMinute: 1 }, () => 0);
        return (i) => failures.add(addressOf(i));
      },
    ],
    [
      'refusals of callers nobody knows',
      () => {
        const floods = openRefusalFloods({
          recorder: { record: async () => 0, broken: undefined },
          clock: () => 0,
          failed: () => {},
        });
        return (i) =>
          floods.takes({ outcome: 'throttled', address: addressOf(i), n: 1, id: 'ab', at: 0 } as Decision);
      },
    ],
  ])(
    'take no more memory than some thousand: %s',
    (_, open) => {
      const take = open();
      // Tables that are made full at once are full now.
      for (let i = 0; i < 100_000; i++) take(i);
      const before = memory();
      for (let i = 100_000; i < MILLION; i++) take(i);
      expect(memory() - before).toBeLessThan(ROOM);
    },
    PATIENT,
  );

  it(
    'push nobody out who has to wait, and leave the tables at their size',
    () => {
      const times = boundedTimes(1000);
      times.set('first', 10 ** 9, 0);
      const recent = recentMap<number>(1000);
      for (let i = 0; i < MILLION; i++) {
        times.set(`caller ${i}`, 10 ** 8, 0);
        recent.set(`caller ${i}`, i);
      }
      expect(times.get('first')).toBe(10 ** 9);
      expect(times.size).toBeLessThanOrEqual(1000);
      expect(recent.size).toBeLessThanOrEqual(1000);
      expect(recent.get(`caller ${MILLION - 1}`)).toBe(MILLION - 1);
    },
    PATIENT,
  );
});
