import { describe, expect, test } from 'vitest';
import { openSampler } from './sampler.ts';
import { seenIds } from './seen-ids.ts';

describe('sampler', () => {
  test('takes the first samples of each call while there is plenty', () => {
    const sampler = openSampler({ samples: 8, perSecond: 100, clock: () => 0 });
    expect([sampler.take('ann', 1), sampler.take('ann', 64), sampler.take('bob', 3)]).toEqual([1, 8, 3]);
  });

  test('who floods leaves others in sight, and the rate holds', () => {
    let now = 0;
    const sampler = openSampler({ samples: 8, perSecond: 100, clock: () => now });
    for (let second = 0; second < 3; second++, now += 1000) {
      let flood = 0;
      let quiet = 0;
      for (let i = 0; i < 1000; i++) {
        flood += sampler.take('flood', 8);
        if (i % 50 === 0) quiet += sampler.take('quiet', 1);
      }
      expect(flood + quiet).toBeLessThanOrEqual(100);
      expect(quiet).toBe(20);
      expect(flood).toBeGreaterThanOrEqual(50);
    }
  });

  test('suspects are seen beyond their share, twice the rate at most', () => {
    const sampler = openSampler({ samples: 8, perSecond: 10, clock: () => 0 });
    for (let i = 0; i < 100; i++) sampler.take(`calm ${i}`, 1);
    expect(sampler.take('eve', 4)).toBe(0);
    sampler.suspect(['eve']);
    let seen = 0;
    for (let i = 0; i < 100; i++) seen += sampler.take('eve', 1);
    expect(seen).toBe(10);
  });
});

describe('ids', () => {
  test('are new once, and forgotten at the bound', () => {
    const ids = seenIds(10);
    expect([ids.isNew('a'), ids.isNew('a')]).toEqual([true, false]);
    for (let i = 0; i < 25; i++) ids.isNew(String(i));
    expect(ids.isNew('a')).toBe(true);
    expect(ids.isNew('24')).toBe(false);
  });
});
