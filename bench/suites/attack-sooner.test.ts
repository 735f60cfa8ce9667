import { describe, expect, it } from 'vitest';
import { smallestBudget } from './attack-sooner.ts';

describe('the smallest budget that is enough', () => {
  const from = (least: number) => async (queries: number) => queries >= least;

  it('is found to a sixteenth', async () => {
    expect(await smallestBudget(1600, from(701))).toBe(800);
    expect(await smallestBudget(1600, from(700))).toBe(700);
  });

  it('may be the first sixteenth, rounded up', async () =>
    expect(await smallestBudget(1000, from(0))).toBe(63));

  it('is none where only all of it is', async () =>
    expect(await smallestBudget(1600, from(1501))).toBeUndefined());
});
