import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GlacisError } from '../core/error.ts';
import { deltaFor, epsilonFor } from './accountant.ts';
import { noiseFor, rateFor, stepsFor } from './calibrate.ts';

const RDP = { accountant: 'rdp' } as const;
const QUICK = { accuracy: 0.02, mostPlaces: 2 ** 14 };
const TARGET = { epsilon: 2, delta: 1e-5 };

describe('calibration', () => {
  it("finds Opacus's published noise multipliers for epsilon 8: 1.416 and 1.3562", () => {
    const target = { epsilon: 8, delta: 1e-5 };
    // Their search stops at an epsilon of 7.99.
    for (const [steps, published] of [
      [2250, 1.416],
      [2000, 1.3562],
    ] as const) {
      const { run } = noiseFor({ rate: 0.04, steps }, target, RDP);
      expect(run.noise).toBeLessThanOrEqual(published + 1e-4);
      expect(run.noise).toBeGreaterThan(published * 0.998);
    }
  });

  it.each([
    ['rdp', RDP],
    ['pld', QUICK],
  ] as const)('keeps the target and is near it, for noise, steps and rate: %s', (_, options) => {
    const near = ({ epsilon }: { readonly epsilon: number }, least: number) => {
      expect(epsilon).toBeLessThanOrEqual(TARGET.epsilon);
      expect(epsilon).toBeGreaterThan(TARGET.epsilon * least);
    };
    near(noiseFor({ rate: 0.01, steps: 2000 }, TARGET, options).statement, 0.998);
    near(stepsFor({ rate: 0.01, noise: 1.1 }, TARGET, options).statement, 0.998);
    near(rateFor({ noise: 1.1, steps: 2000 }, TARGET, options).statement, 0.998);
  });

  it('needs less noise with the PLD accountant', () => {
    const setting = { rate: 0.01, steps: 2000 };
    expect(noiseFor(setting, TARGET, QUICK).run.noise).toBeLessThan(
      0.97 * noiseFor(setting, TARGET, RDP).run.noise,
    );
  });

  it('gives the largest number of steps exactly where they are few', () => {
    const { run } = stepsFor({ rate: 0.2, noise: 3 }, TARGET, RDP);
    expect(epsilonFor([run], 1e-5, RDP).epsilon).toBeLessThanOrEqual(2);
    expect(epsilonFor([{ ...run, steps: run.steps + 1 }], 1e-5, RDP).epsilon).toBeGreaterThan(2);
  });

  it('counts the runs before', () => {
    const before = [{ rate: 0.01, noise: 1.2, steps: 1000 }];
    const { run, statement } = noiseFor({ rate: 0.01, steps: 1000 }, { ...TARGET, before }, RDP);
    expect(statement.runs).toHaveLength(2);
    expect(run.noise).toBeGreaterThan(noiseFor({ rate: 0.01, steps: 1000 }, TARGET, RDP).run.noise);
  });

  it('says when the budget is gone', () => {
    const before = [{ rate: 0.1, noise: 0.5, steps: 1000 }];
    const cases = [
      () => noiseFor({ rate: 0.01, steps: 10 }, { ...TARGET, before }, RDP),
      () => stepsFor({ rate: 1, noise: 0.3 }, TARGET, RDP),
      () => stepsFor({ rate: 1, noise: 0.3 }, TARGET, QUICK),
    ];
    for (const of of cases) {
      try {
        of();
        expect.unreachable();
      } catch (thrown) {
        expect((thrown as GlacisError).code).toBe('privacy/budget');
        expect((thrown as GlacisError).message).toMatch(/got 2 at delta 0\.00001; even rate/);
      }
    }
  });

  it('keeps any target that it answers for', () => {
    const some = fc.record({
      epsilon: fc.double({ min: 0.5, max: 20, noNaN: true }),
      delta: fc.constantFrom(1e-3, 1e-6, 1e-10),
      rate: fc.double({ min: 1e-4, max: 1, noNaN: true }),
      steps: fc.integer({ min: 1, max: 10_000 }),
    });
    fc.assert(
      fc.property(some, ({ epsilon, delta, rate, steps }) => {
        const { run } = noiseFor({ rate, steps }, { epsilon, delta }, RDP);
        expect(epsilonFor([run], delta, RDP).epsilon).toBeLessThanOrEqual(epsilon);
        if (run.noise > 0.051) {
          const less = { ...run, noise: run.noise * 0.999 };
          expect(epsilonFor([less], delta, RDP).epsilon).toBeGreaterThan(epsilon);
        }
      }),
      { numRuns: 6 },
    );
  });
});

describe('a statement', () => {
  const run = { rate: 0.01, noise: 1.1, steps: 1000 };

  it('names accountant, delta, sampling, neighbours, and what the accountant rests on', () => {
    const rdp = epsilonFor([run], 1e-5, RDP);
    expect(rdp).toMatchObject({
      schema: 'glacis.privacy/1',
      delta: 1e-5,
      accountant: 'rdp',
      sampling: 'poisson',
      neighbours: 'add-or-remove-one',
      runs: [run],
    });
    expect(rdp.orders).toContain(rdp.order);
    const pld = epsilonFor([run], 1e-5, QUICK);
    expect(pld).toMatchObject({ accountant: 'pld', direction: 'remove' });
    expect(pld.epsilonLower).toBeLessThan(pld.epsilon);
    expect(JSON.parse(JSON.stringify(pld))).toEqual(pld);
  });

  it('joins equal runs', () => {
    expect(epsilonFor([run, run, { ...run, noise: 2 }], 1e-5, RDP).runs).toEqual([
      { ...run, steps: 2000 },
      { ...run, noise: 2 },
    ]);
  });

  it('of delta is the inverse of that of epsilon', () => {
    for (const options of [RDP, QUICK]) {
      const { epsilon } = epsilonFor([run], 1e-6, options);
      expect(deltaFor([run], epsilon, options).delta / 1e-6).toBeCloseTo(1, 1);
    }
  });

  it.each([
    ['a rate above 1', [{ ...run, rate: 1.01 }], 1e-5, {}],
    ['a rate of 0', [{ ...run, rate: 0 }], 1e-5, {}],
    ['a rate that is no number', [{ ...run, rate: Number.NaN }], 1e-5, {}],
    ['no noise', [{ ...run, noise: 0 }], 1e-5, {}],
    ['half a step', [{ ...run, steps: 0.5 }], 1e-5, {}],
    ['too many steps together', [{ ...run, steps: 1e9 }, run], 1e-5, {}],
    ['no runs', [], 1e-5, {}],
    ['a delta of 0', [run], 0, {}],
    ['a delta of 1', [run], 1, {}],
    ['an unknown accountant', [run], 1e-5, { accountant: 'gdp' as never }],
    ['an order of 1', [run], 1e-5, { orders: [1] }],
    ['no orders', [run], 1e-5, { orders: [] }],
    ['an accuracy of 0', [run], 1e-5, { accuracy: 0 }],
    ['too many places', [run], 1e-5, { mostPlaces: 2 ** 25 }],
    ['an option that does not exist', [run], 1e-5, { order: 3 } as never],
  ])('is not made for %s', (_, runs, delta, options) => {
    try {
      epsilonFor(runs, delta, options);
      expect.unreachable();
    } catch (thrown) {
      expect((thrown as GlacisError).code).toMatch(/^option\/(invalid|unknown)$/);
    }
  });
});
