import { describe, expect, it } from 'vitest';
import { type HardeningFacts, planHardening } from './plan.ts';

const facts: HardeningFacts = {
  norm: 'linf',
  eps: 8 / 255,
  bounds: [0, 1],
  n: 6400,
  batch: 64,
  pace: 0.01,
  seconds: 600,
  seed: 3,
};

describe('planHardening', () => {
  it('attacks as thoroughly as leaves eight epochs', () => {
    const { wishes, seconds } = planHardening(facts);
    // 100 steps an epoch; ten inner steps and TRADES cost (10 + 3) / 2.5 of the pace each.
    expect(wishes.against).toBe(`trades(eps=${8 / 255}, steps=10)`);
    expect(wishes.epochs).toBe(60);
    expect(seconds).toBeCloseTo(60 * 100 * 0.01 * (13 / 2.5));
    expect(planHardening({ ...facts, seconds: 40 }).wishes).toMatchObject({
      against: `trades(eps=${8 / 255}, steps=7)`,
      epochs: 10,
    });
  });

  it('falls back on single steps where time is short, and says so', () => {
    const { wishes, reasons } = planHardening({ ...facts, seconds: 3 });
    expect(wishes).toMatchObject({
      against: `fast(eps=${8 / 255}, ramp=0.7)`,
      epochs: 3,
      whenCatastrophic: 'fall-back',
    });
    expect(reasons.join(' ')).toContain('the time is short');
  });

  it('takes PGD with a growing radius where it is wide', () => {
    expect(planHardening({ ...facts, eps: 0.3 }).wishes.against).toBe('pgd(eps=0.3, steps=10, ramp=0.3)');
    expect(planHardening({ ...facts, eps: 60, bounds: [0, 255] }).wishes.against).toContain('pgd');
    expect(planHardening({ ...facts, eps: 2, norm: 'l2' }).wishes.against).toContain('trades');
  });

  it('stays within the time it is given', () => {
    for (const seconds of [2, 5, 17, 60, 300, 5000]) {
      const plan = planHardening({ ...facts, seconds });
      expect(plan.seconds).toBeLessThanOrEqual(seconds);
      expect(plan.wishes.epochs).toBeLessThanOrEqual(60);
    }
  });

  it('reckons with what was said: the epochs that fit a given objective, and the objective that fits given epochs', () => {
    // 100 steps of 20 attack passes and one for the weights, of 2.5 in the pace: 8.6 s an epoch.
    const { wishes, seconds } = planHardening({
      ...facts,
      against: `pgd(eps=${8 / 255}, steps=20)`,
      seconds: 100,
    });
    expect(wishes).toMatchObject({ against: `pgd(eps=${8 / 255}, steps=20)`, epochs: 11 });
    expect(seconds).toBeCloseTo((11 * 100 * 0.01 * 21.5) / 2.5);
    const few = planHardening({ ...facts, epochs: 3, seconds: 17 });
    expect(few.wishes).toMatchObject({ against: `trades(eps=${8 / 255}, steps=10)`, epochs: 3 });
    const many = planHardening({ ...facts, epochs: 100, seconds: 17 });
    expect(many.wishes).toMatchObject({ against: `fast(eps=${8 / 255}, ramp=0.7)`, epochs: 100 });
    expect(many.reasons.join()).toContain('more than the time there is');
  });

  it('refuses a time in which nothing can be learned, and says how much could', () => {
    expect(() => planHardening({ ...facts, seconds: 0.5 })).toThrow(
      /at least one epoch of 6400 samples \(about 2 s\)/,
    );
  });
});
