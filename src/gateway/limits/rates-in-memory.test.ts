import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refused } from '../refusal.ts';
import { boundedTimes } from './bounded-times.ts';
import { principalFixture, ratesFixture } from './rates.fixture.ts';
import { localRates } from './rates-in-memory.ts';
import { ratesSchema } from './rates-schema.ts';

const alice = { principal: principalFixture('alice'), address: '192.0.2.1' };
const bob = { principal: principalFixture('bob'), address: '192.0.2.2' };

describe('limits in memory', () => {
  it('let through as many at once as they say, then one by one', () => {
    let now = 1000;
    const rates = localRates(ratesFixture([{ per: 'principal', requests: 5, every: 'minute' }]), () => now);
    for (let i = 0; i < 5; i++) expect(rates.take(alice, 1)).toBeUndefined();
    expect(rates.take(alice, 1)).toBe(12);
    expect(rates.take(bob, 1)).toBeUndefined();
    now += 11_999;
    expect(rates.take(alice, 1)).toBe(1);
    now += 1;
    expect(rates.take(alice, 1)).toBeUndefined();
    expect(rates.take(alice, 1)).toBe(12);
  });

  it('count a batch of n as n samples, and refuse one that could never pass', () => {
    const rates = localRates(ratesFixture([{ per: 'tenant', samples: 10, every: 'hour' }]), () => 0);
    expect(() => rates.take(alice, 11)).toThrow(Refused);
    expect(rates.take(alice, 7)).toBeUndefined();
    expect(rates.take(bob, 4)).toBe(360);
    expect(rates.take(bob, 3)).toBeUndefined();
  });

  it('take nothing from one limit where another refuses', () => {
    let now = 0;
    const rates = localRates(
      ratesFixture([
        { per: 'all', requests: 3, every: 'hour' },
        { per: 'principal', requests: 1, every: 'second' },
      ]),
      () => now,
    );
    expect(rates.take(alice, 1)).toBeUndefined();
    for (let i = 0; i < 100; i++) expect(rates.take(alice, 1)).toBe(1);
    expect(rates.take(bob, 1)).toBeUndefined();
    now += 1000;
    expect(rates.take(alice, 1)).toBeUndefined();
    now += 1000;
    expect(rates.take(alice, 1)).toBe(1198);
  });

  it('meet who has not been identified by address and by all', () => {
    const rates = localRates(
      ratesFixture([
        { per: 'principal', requests: 1, every: 'hour' },
        { per: 'address', requests: 2, every: 'hour' },
      ]),
      () => 0,
    );
    const nobody = { principal: undefined, address: '2001:db8::1' };
    expect(rates.take(nobody, 1)).toBeUndefined();
    expect(rates.take({ ...nobody, address: '2001:db8::2' }, 1)).toBeUndefined();
    expect(rates.take({ ...nobody, address: '2001:db8::3' }, 1)).toBe(1800);
    expect(rates.take({ ...nobody, address: '2001:db8:0:1::3' }, 1)).toBeUndefined();
  });

  it('never let through twice the limit in any period, whatever comes when', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(700), fc.integer({ min: 1, max: 10 })), { maxLength: 200 }),
        (arrivals) => {
          let now = 0;
          const rates = localRates(
            ratesFixture([{ per: 'principal', samples: 10, every: 'second' }]),
            () => now,
          );
          const passed: [number, number][] = [];
          for (const [gap, n] of arrivals) {
            now += gap;
            if (rates.take(alice, n) === undefined) passed.push([now, n]);
          }
          for (const [end] of passed) {
            const inPeriod = passed.filter(([at]) => at <= end && at > end - 1000);
            expect(inPeriod.reduce((sum, [, n]) => sum + n, 0)).toBeLessThan(20);
          }
        },
      ),
    );
  });

  it('stay within their memory under a flood of addresses, and forget nobody who has to wait', () => {
    let now = 0;
    const rates = localRates(
      ratesFixture([{ per: 'address', requests: 1, every: 'hour' }], { mostTracked: 1000 }),
      () => now,
    );
    const from = (i: number) => ({
      principal: undefined,
      address: `2001:db8:${(i >> 16).toString(16)}:${(i & 65535).toString(16)}::1`,
    });
    for (let i = 0; i < 20_000; i++) rates.take(from(i), 1);
    expect(rates.tracked()).toBe(1000);
    for (let i = 0; i < 20_000; i += 7) expect(rates.take(from(i), 1), String(i)).toBeGreaterThan(0);
    now += 3_600_000;
    // Once they have waited, newcomers have places again, but for the few that meet in a shared one.
    const refused = Array.from({ length: 900 }, (_, i) => rates.take(from(20_000 + i), 1)).filter(
      (wait) => wait,
    );
    expect(refused.length).toBeLessThan(20);
    expect(rates.tracked()).toBeLessThanOrEqual(1000);
  });

  it('cannot be filled by a request of less than one sample', () => {
    const rates = localRates(ratesFixture([{ per: 'all', samples: 10, every: 'hour' }]), () => 0);
    for (const n of [0, -5, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => rates.take(alice, n)).toThrow(Refused);
    expect(rates.take(alice, 10)).toBeUndefined();
    expect(rates.take(alice, 1)).toBe(360);
  });

  it('hold where nothing is configured', () => {
    const rates = localRates(ratesSchema.parse({}), () => 0);
    for (let i = 0; i < 500; i++) expect(rates.take(alice, 1)).toBeUndefined();
    expect(rates.take(alice, 1)).toBe(1);
  });
});

describe('a configuration of limits', () => {
  it.each([
    [{ per: 'principal', every: 'second' }],
    [{ per: 'principal', requests: 1, samples: 1, every: 'second' }],
    [{ per: 'principal', requests: 0, every: 'second' }],
    [{ per: 'principal', requests: 1.5, every: 'second' }],
    [{ per: 'nobody', requests: 1, every: 'second' }],
    [{ per: 'all', requests: 1, every: 'year' }],
    [{ per: 'all', requests: 1, every: 'hour', burst: 5 }],
  ])('refuses %j', (limit) => {
    expect(() => ratesFixture([limit])).toThrow();
  });
});

describe('bounded times', () => {
  it('remember what lies ahead, apart or in a shared place', () => {
    const times = boundedTimes(10);
    for (let i = 0; i < 5000; i++) times.set(`n${i}`, 100 + i, 0);
    expect(times.size).toBe(10);
    for (let i = 0; i < 5000; i++) expect(times.get(`n${i}`)).toBeGreaterThanOrEqual(100 + i);
  });
});
