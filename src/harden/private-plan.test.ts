import { describe, expect, it } from 'vitest';
import { type PrivateFacts, planPrivateHardening } from './private-plan.ts';

const facts: PrivateFacts = { pace: 0.01, n: 6000, batch: 60, seconds: 600 };

describe('planPrivateHardening', () => {
  it('takes as many epochs as fit, and no more than help', () => {
    // 100 steps of 10 ms an epoch.
    expect(planPrivateHardening(facts)).toMatchObject({ wishes: { epochs: 40, batch: 60 }, seconds: 40 });
    expect(planPrivateHardening({ ...facts, seconds: 17.5 }).wishes.epochs).toBe(17);
    expect(planPrivateHardening({ ...facts, seconds: 17.5, epochs: 9 }).wishes.epochs).toBe(9);
    expect(planPrivateHardening(facts).wishes.against).toBeUndefined();
  });

  it('attacks as thoroughly as leaves ten epochs', () => {
    const against = (seconds: number) => planPrivateHardening({ ...facts, seconds, eps: 0.1 }).wishes.against;
    // A step of k inner steps takes (k + 1.5) / 2.5 of the pace.
    expect(against(27)).toBe('pgd(eps=0.1, steps=5, ramp=0.5)');
    expect(against(20)).toBe('pgd(eps=0.1, steps=3, ramp=0.5)');
    expect(against(12)).toBe('pgd(eps=0.1, steps=1, ramp=0.5)');
    expect(planPrivateHardening({ ...facts, eps: 0.1, against: 'trades(eps=0.1)' }).wishes.against).toBe(
      'trades(eps=0.1)',
    );
  });

  it('refuses a time in which nothing can be learned', () => {
    expect(() => planPrivateHardening({ ...facts, seconds: 0.5 })).toThrow(
      /at least one epoch of 6000 samples/,
    );
  });
});
