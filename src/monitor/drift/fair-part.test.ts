import { describe, expect, it } from 'vitest';
import { openFairPart, openTaking } from './fair-part.ts';

const WINDOW = { rows: 300, seconds: 900 };
/** Rows of 40 clients in turn, `gap` milliseconds apart; gives how many were taken. */
function steady(
  part: ReturnType<typeof openFairPart>,
  rows: number,
  gap: number,
  from = 0,
  window = Number.POSITIVE_INFINITY,
): number {
  let taken = 0;
  for (let i = 0; i < rows; i++) {
    if (i % window === 0) part.begin();
    if (part.takes(`client ${i % 40}`, from + gap * i)) taken++;
  }
  return taken;
}

describe('a fair part of a window', () => {
  it('takes from even callers whatever they send, be it slow or fast', () => {
    expect(steady(openFairPart(WINDOW), 4000, 500)).toBe(4000);
    const fast = openFairPart(WINDOW);
    fast.know(Array.from({ length: 4000 }, (_, i) => `client ${i % 40}`));
    expect(steady(fast, 18_000, 10, 40_000, 9000)).toBe(18_000);
  });

  it('keeps a caller’s half of the traffic a half', () => {
    const part = openFairPart(WINDOW);
    const taken = { heavy: 0, light: 0 };
    for (let i = 0; i < 40_000; i++) {
      if (i % 5000 === 0) part.begin();
      const who = i % 2 === 0 ? 'heavy' : (`light ${i % 41}` as const);
      if (part.takes(who, 10 * i) && i > 20_000) taken[who === 'heavy' ? 'heavy' : 'light']++;
    }
    expect(taken.heavy / (taken.heavy + taken.light)).toBeCloseTo(0.5, 2);
  });

  it('lets a burst of a minute have a twelfth of the least window, and the others all of theirs', () => {
    const part = openFairPart(WINDOW);
    steady(part, 10_000, 5000, 0, 300);
    const start = 5000 * 10_000;
    part.begin();
    let [burst, others] = [0, 0];
    for (let i = 0; i < 240; i++) {
      if (part.takes('client 7', start + 250 * i)) burst++;
      if (i % 20 === 0 && part.takes(`client ${10 + i / 20}`, start + 250 * i)) others++;
    }
    expect(others).toBe(12);
    expect(burst).toBeGreaterThan(20);
    expect(burst).toBeLessThanOrEqual(26);
  });

  it('lets a batch at one moment have a fiftieth', () => {
    const part = openFairPart(WINDOW);
    steady(part, 100, 1000);
    let taken = 0;
    for (let i = 0; i < 64; i++) if (part.takes('batch', 100_000)) taken++;
    expect(taken).toBe(6);
  });

  it('still fills a window with one who is suddenly alone, in little more than its shortest time', () => {
    const part = openFairPart(WINDOW);
    steady(part, 10_000, 5000, 0, 300);
    part.begin();
    const start = 5000 * 10_000;
    let [taken, seconds] = [0, 0];
    while (taken < 300 && seconds < 10_000) if (part.takes('new', start + 1000 * seconds++)) taken++;
    expect(seconds).toBeGreaterThan(800);
    expect(seconds).toBeLessThan(1000);
  });

  it('is not blinded by a clock that was set back', () => {
    const part = openFairPart(WINDOW);
    steady(part, 400, 1000, 1e12);
    expect(steady(part, 400, 1000, 0)).toBe(400);
  });

  it('takes every row where a window has no shortest time', () => {
    const part = openFairPart({ rows: 300, seconds: 0 });
    expect(Array.from({ length: 300 }, () => part.takes('one', 0)).every(Boolean)).toBe(true);
  });

  it('gives way to a pace where a monitor looks again and again', () => {
    const taking = openTaking({ online: { stride: 16, gap: 1000 } }, WINDOW);
    expect([taking.takes('a', 0), taking.takes('b', 500), taking.takes('b', 1000)]).toEqual([
      true,
      false,
      true,
    ]);
  });
});
