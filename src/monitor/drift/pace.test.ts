import { describe, expect, it } from 'vitest';
import { openPace } from './pace.ts';

describe('a pace', () => {
  it('holds who is all of the traffic to the gap alone', () => {
    const takes = openPace(1000);
    const taken = Array.from({ length: 2000 }, (_, i) => takes('one', 500 * i));
    expect(taken.slice(1000).filter(Boolean).length).toBe(500);
  });

  it('takes of a burst a row every ten seconds, and of the others what they send', () => {
    const takes = openPace(1000);
    let steady = 0;
    for (let i = 0; i < 4000; i++) if (takes(`client ${i % 40}`, 2000 * i)) steady++;
    expect(steady).toBe(4000);
    const start = 2000 * 4000;
    let burst = 0;
    for (let i = 0; i < 240; i++) if (takes('client 7', start + 250 * i)) burst++;
    expect(burst).toBeGreaterThan(4);
    expect(burst).toBeLessThan(8);
  });

  it('is not blinded by a clock that was set back, nor by any number of callers', () => {
    const takes = openPace(1000);
    expect([takes('a', 1e9), takes('a', 0), takes('a', 100)]).toEqual([true, true, false]);
    let taken = 0;
    for (let i = 0; i < 20_000; i++) if (takes(`caller ${i}`, 1e9 + 1000 * i)) taken++;
    expect(taken).toBe(20_000);
  });
});
