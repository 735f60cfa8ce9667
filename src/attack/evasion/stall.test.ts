import { describe, expect, it } from 'vitest';
import { stallWatch } from './stall.ts';

/** The step after which a run of 100 steps ends. */
function endOf(loss: (step: number) => number): number | undefined {
  const isStalled = stallWatch(100);
  for (let step = 0; step < 100; step++) if (isStalled(loss(step))) return step;
  return undefined;
}

describe('stallWatch', () => {
  it('lets a falling loss go on, and ends one that rises, stays or is NaN at the next tenth', () => {
    expect(endOf((step) => 1 / (1 + step))).toBeUndefined();
    expect(endOf(() => 1)).toBe(10);
    expect(endOf((step) => 1 + step)).toBe(10);
    expect(endOf((step) => (step < 45 ? 100 - step : 60))).toBe(60);
    expect(endOf(() => Number.NaN)).toBe(0);
  });

  it('lets a loss go on that falls on average and happens to be high where it is looked at', () => {
    expect(endOf((step) => (step % 10 === 0 ? 101 : 100 - step))).toBeUndefined();
  });

  it('looks at every step of a run of fewer than ten', () => {
    const isStalled = stallWatch(5);
    expect([5, 4, 3, 3].map(isStalled)).toEqual([false, false, false, true]);
  });
});
