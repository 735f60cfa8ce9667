import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../core/error.ts';
import { gaussianDelta, gaussianEpsilon } from './gaussian.ts';
import { pldDelta, pldEpsilon } from './pld-accountant.ts';
import { epsilonFromRdp, RDP_ORDERS, rdpCurve } from './rdp-accountant.ts';
import { VECTORS } from './vectors.fixture.ts';

/** Coarse and quick: bounds hold on every grid. */
const QUICK = { accuracy: 0.05, mostPlaces: 2 ** 14 };
/** Fine enough to be compared with others. */
const FINE = { mostPlaces: 2 ** 18 };

const rdp = (runs: Parameters<typeof rdpCurve>[0], delta: number) =>
  epsilonFromRdp(rdpCurve(runs, RDP_ORDERS), RDP_ORDERS, delta).value;

const someRun = fc.record({
  rate: fc.oneof(fc.constant(1), fc.double({ min: 1e-4, max: 0.5, noNaN: true })),
  noise: fc.double({ min: 0.4, max: 20, noNaN: true }),
  steps: fc.integer({ min: 1, max: 3000 }),
});

describe('the PLD accountant', () => {
  it.each(VECTORS.epsilons)(
    'encloses the figure of dp_accounting and lies below that of the PRV accountant: $name',
    ({ runs, delta, dpAccounting, opacus }) => {
      const { upper, lower } = pldEpsilon(runs, delta, runs[0]!.steps < 1e5 ? FINE : {});
      expect(lower).toBeLessThan(dpAccounting.pld);
      expect(lower).toBeGreaterThan(dpAccounting.pld * 0.8);
      // Theirs is an upper bound as well, on a grid that is coarser for many steps.
      expect(upper / dpAccounting.pld).toBeLessThan(1.003);
      expect(upper / dpAccounting.pld).toBeGreaterThan(0.98);
      // The PRV accountant adds 0.01 for what its grid may hide.
      if (opacus.prv === undefined) return;
      expect(upper).toBeLessThan(opacus.prv);
      expect(upper).toBeGreaterThan(opacus.prv - 0.02);
    },
  );

  it("lies below Opacus's published 6.7774 for rate 0.04, noise 1.5 and 2,250 steps, where RDP has 7.3291", () => {
    const { upper } = pldEpsilon([{ rate: 0.04, noise: 1.5, steps: 2250 }], 1e-5, FINE);
    expect(upper).toBeLessThan(6.7774);
    expect(upper).toBeGreaterThan(6.765);
  });

  it('encloses the exact epsilon of the Gaussian mechanism', () => {
    for (const [sigma, steps, delta] of [
      [1, 1, 1e-5],
      [50, 1, 1e-12],
      [0.3, 1, 1e-3],
      [20, 400, 1e-6],
      [3, 1, 1e-40],
      [1000, 1_000_000, 1e-12],
    ] as const) {
      const { upper, lower } = pldEpsilon([{ rate: 1, noise: sigma, steps }], delta, FINE);
      const exact = gaussianEpsilon(sigma / Math.sqrt(steps), delta);
      expect(lower).toBeLessThanOrEqual(exact);
      expect(upper).toBeGreaterThanOrEqual(exact * (1 - 1e-12));
      expect(upper / exact).toBeLessThan(1.002);
    }
  });

  it('never contradicts the RDP accountant, and lower is below upper', () => {
    fc.assert(
      fc.property(fc.array(someRun, { minLength: 1, maxLength: 2 }), (runs) => {
        const { upper, lower } = pldEpsilon(runs, 1e-6, QUICK);
        expect(lower).toBeLessThanOrEqual(upper);
        expect(lower).toBeLessThanOrEqual(rdp(runs, 1e-6));
        expect(upper).toBeLessThanOrEqual(rdp(runs, 1e-6) * 1.02 + 1e-9);
      }),
      { numRuns: 25 },
    );
  });

  it('asks for more with more steps, a higher rate, less noise or a smaller delta', () => {
    fc.assert(
      fc.property(someRun, ({ rate, noise, steps }) => {
        const here = pldEpsilon([{ rate, noise, steps }], 1e-6, QUICK).lower;
        const at = (change: object, delta = 1e-6) =>
          pldEpsilon([{ rate, noise, steps, ...change }], delta, QUICK).upper;
        expect(at({ steps: steps + 1 + Math.floor(steps / 5) })).toBeGreaterThanOrEqual(here);
        expect(at({ rate: Math.min(1, rate * 1.2) })).toBeGreaterThanOrEqual(here);
        expect(at({ noise: noise / 1.2 })).toBeGreaterThanOrEqual(here);
        expect(at({}, 1e-7)).toBeGreaterThanOrEqual(here);
      }),
      { numRuns: 10 },
    );
  });

  it('gives the same for one run as for its parts', () => {
    const whole = pldEpsilon([{ rate: 0.01, noise: 1.1, steps: 3000 }], 1e-5, FINE).upper;
    // Noise that differs in the last digit keeps the parts apart.
    const parts = [0, 1, 2].map((i) => ({ rate: 0.01, noise: 1.1 + i * 1e-13, steps: 1000 }));
    expect(pldEpsilon(parts, 1e-5, FINE).upper).toBeCloseTo(whole, 8);
  });

  it.each([
    [{ rate: 1e-5, noise: 50, steps: 1 }, 1e-5],
    [{ rate: 1e-5, noise: 50, steps: 1 }, 1e-12],
    [{ rate: 1e-5, noise: 50, steps: 1_000_000 }, 1e-12],
    [{ rate: 1e-5, noise: 0.3, steps: 1_000_000 }, 1e-12],
    [{ rate: 1e-5, noise: 0.3, steps: 1 }, 1e-12],
    [{ rate: 1e-3, noise: 1, steps: 1_000_000 }, 1e-12],
    [{ rate: 0.999, noise: 0.3, steps: 1 }, 1e-12],
    [{ rate: 1, noise: 0.3, steps: 1_000_000 }, 1e-12],
    [{ rate: 1, noise: 50, steps: 1_000_000 }, 0.5],
    [{ rate: 0.01, noise: 1, steps: 1000 }, 1e-90],
  ] as const)('answers within bounds for %o at delta %d', (run, delta) => {
    const { upper, lower } = pldEpsilon([run], delta, { mostPlaces: 2 ** 17 });
    expect(lower).toBeLessThanOrEqual(upper);
    expect(upper).toBeLessThanOrEqual(rdp([run], delta) * 1.05 + 1e-9);
    expect(lower).toBeGreaterThanOrEqual(upper * 0.1 - 1e-6);
  });

  it('refuses a delta below its floor, and says what to do', () => {
    try {
      pldEpsilon([{ rate: 0.01, noise: 1, steps: 10 }], 1e-101);
      expect.unreachable();
    } catch (thrown) {
      expect((thrown as GlacisError).code).toBe('privacy/precision');
      expect((thrown as GlacisError).message).toMatch(/expected at least 1e-100 .* take a larger delta/);
    }
  });

  it('encloses the exact delta of the Gaussian mechanism', () => {
    for (const [sigma, epsilon] of [
      [1, 1],
      [1, 4],
      [10, 0.5],
      [0.5, 20],
      [2, 0],
    ] as const) {
      const { upper, lower } = pldDelta([{ rate: 1, noise: sigma, steps: 1 }], epsilon, FINE);
      const exact = gaussianDelta(sigma, epsilon);
      expect(lower).toBeLessThanOrEqual(exact);
      expect(upper).toBeGreaterThanOrEqual(exact * (1 - 1e-12));
      expect(upper / exact).toBeLessThan(1.02);
      expect(lower / exact).toBeGreaterThan(0.5);
    }
  });

  it('goes from epsilon to delta and back', () => {
    const runs = [{ rate: 0.01, noise: 1.2, steps: 1000 }];
    const { upper } = pldEpsilon(runs, 1e-6, FINE);
    expect(pldDelta(runs, upper, FINE).upper / 1e-6).toBeCloseTo(1, 2);
  });

  it('refuses more different runs than it could compose in reasonable time', () => {
    const runs = Array.from({ length: 257 }, (_, i) => ({ rate: 0.01, noise: 1 + i / 1000, steps: 1 }));
    expect(() => pldEpsilon(runs, 1e-5)).toThrow(/at most 256 .* take the RDP accountant/);
  });

  it('stops when it is told to', () => {
    const signal = AbortSignal.abort();
    expect(() => pldEpsilon([{ rate: 0.01, noise: 1, steps: 10 }], 1e-5, { signal })).toThrow(GlacisError);
  });
});
