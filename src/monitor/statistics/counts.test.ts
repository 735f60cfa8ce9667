import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { benjaminiHochberg } from './benjamini-hochberg.ts';
import {
  calibrationError,
  calibrationShift,
  confidenceCounts,
  countConfidence,
} from './calibration-error.ts';
import { homogeneity } from './homogeneity.ts';
import { stabilityIndex } from './stability-index.ts';
import { wasserstein } from './wasserstein.ts';

describe('homogeneity', () => {
  it('is Pearson’s test where counts are large', () => {
    // scipy 1.17.1, stats.chi2_contingency(correction=False)
    const { statistic, p } = homogeneity([20, 30, 50], [35, 25, 40]);
    expect(statistic).toBeCloseTo(5.656565656565657, 12);
    expect(p).toBeCloseTo(0.05911427592751333, 12);
  });

  it('notices a category that is new, however rare', () => {
    expect(homogeneity([2000, 0], [490, 10]).p).toBeLessThan(1e-6);
    expect(homogeneity([1000, 1000, 0], [245, 245, 10]).p).toBeLessThan(1e-5);
    expect(homogeneity([2000, 0], [500, 0])).toEqual({ statistic: 0, p: 1 });
  });

  it('notices many rare categories that changed places', () => {
    const a = Array.from({ length: 100 }, (_, k) => (k < 50 ? 6 : 0));
    expect(homogeneity(a, [...a].reverse()).p).toBeLessThan(1e-9);
  });

  it('knows nothing of an empty row and stays in [0, 1] whatever the counts', () => {
    expect(homogeneity([0, 0], [3, 4]).p).toBe(1);
    const counts = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        const { p } = homogeneity(a, b);
        expect(p >= 0 && p <= 1).toBe(true);
        expect(homogeneity(b, a).p).toBeCloseTo(p, 9);
        expect(homogeneity(a, a).p).toBeGreaterThan(0.99);
      }),
    );
  });

  it('cries wolf no more often than it says, with few and skewed counts', () => {
    const rng = randomFrom(1, 'chi');
    const draw = (n: number) => {
      const counts = [0, 0, 0, 0, 0, 0];
      for (let i = 0; i < n; i++) counts[Math.min(5, Math.floor(-Math.log(1 - rng.uniform()) * 1.2))]!++;
      return counts;
    };
    let alarms = 0;
    for (let k = 0; k < 2000; k++) if (homogeneity(draw(300), draw(60)).p <= 0.05) alarms++;
    expect(alarms).toBeLessThan(100 + 4 * Math.sqrt(95));
    expect(alarms).toBeGreaterThan(30);
  });
});

describe('stabilityIndex', () => {
  it('is Σ (p − q) ln(p / q) with half an observation a bin', () => {
    const [p, q] = [
      [60.5 / 101, 40.5 / 101],
      [30.5 / 101, 70.5 / 101],
    ];
    const by = (p[0]! - q[0]!) * Math.log(p[0]! / q[0]!) + (p[1]! - q[1]!) * Math.log(p[1]! / q[1]!);
    expect(stabilityIndex([60, 40], [30, 70]).statistic).toBeCloseTo(by, 14);
    expect(stabilityIndex([60, 0], [0, 70]).statistic).toBeLessThan(10);
    expect(stabilityIndex([0, 0], [1, 2])).toEqual({ statistic: 0, p: 1 });
  });

  it('has p-values near uniform without a shift', () => {
    const rng = randomFrom(2, 'psi');
    const draw = (n: number) => {
      const counts = new Array<number>(10).fill(0);
      for (let i = 0; i < n; i++) counts[rng.integer(10)]!++;
      return counts;
    };
    let alarms = 0;
    for (let k = 0; k < 2000; k++) if (stabilityIndex(draw(2000), draw(500)).p <= 0.05) alarms++;
    expect(Math.abs(alarms - 100)).toBeLessThan(4 * Math.sqrt(95));
  });
});

describe('wasserstein', () => {
  const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
  // scipy 1.17.1, stats.wasserstein_distance
  it('gives the published figure', () => {
    const a = sorted([0.31, 1.22, -0.45, 0.08, 2.1, 0.77, -1.3, 0.55]);
    const b = sorted([0.9, 1.5, 2.2, 0.4, 3.1, 1.05]);
    expect(wasserstein(a, b)).toBeCloseTo(1.115, 12);
  });

  it('is how far everything moved', () => {
    const values = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(values, fc.integer({ min: -9, max: 9 }), (all, by) => {
        const a = sorted(all);
        expect(
          wasserstein(
            a,
            a.map((value) => value + by),
          ),
        ).toBeCloseTo(Math.abs(by), 9);
      }),
    );
    expect(wasserstein([], [1])).toBe(0);
  });
});

describe('benjaminiHochberg', () => {
  it('corrects as scipy does', () => {
    // The example of Benjamini & Hochberg's kind; scipy 1.17.1, stats.false_discovery_control
    const corrected = benjaminiHochberg([0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205]);
    const expected = [0.008, 0.032, 0.0672, 0.0672, 0.0672, 0.08, (0.074 * 8) / 7, 0.205];
    for (const [i, p] of expected.entries()) expect(corrected[i]).toBeCloseTo(p, 14);
    expect(benjaminiHochberg([])).toEqual([]);
    expect(benjaminiHochberg([0.2])).toEqual([0.2]);
  });
});

describe('calibrationError', () => {
  const counted = (answers: readonly (readonly [number, boolean])[], bins = 10) => {
    const counts = confidenceCounts(bins);
    for (const [said, isRight] of answers) countConfidence(counts, said, isRight);
    return counts;
  };

  it('is the mean gap of the bins', () => {
    const counts = counted([
      [0.95, true],
      [0.95, false],
      [0.55, true],
      [0.55, true],
    ]);
    expect(calibrationError(counts).ece).toBeCloseTo(0.45, 12);
    expect(calibrationError(confidenceCounts(10))).toEqual({ n: 0, ece: 0, interval: [0, 1] });
    expect(() =>
      counted([
        [0, true],
        [1, false],
        [2, true],
      ]),
    ).not.toThrow();
  });

  it('covers the true error in 300 samples of each of two sizes, although the figure itself is too large', () => {
    const rng = randomFrom(5, 'ece');
    for (const n of [50, 400]) {
      let [missed, mean] = [0, 0];
      for (let k = 0; k < 300; k++) {
        // Right with the probability that it says: the true error is 0 in the limit of these bins.
        const answers = Array.from({ length: n }, () => {
          const said = 0.5 + rng.uniform() / 2;
          return [said, rng.uniform() < said] as const;
        });
        const { ece, interval } = calibrationError(counted(answers));
        mean += ece / 300;
        if (interval[0] > 0) missed++;
      }
      expect(missed).toBeLessThanOrEqual(15);
      expect(mean).toBeGreaterThan(0.01);
    }
  });

  it('sees that confidence is off by more than it was, and not that it is off', () => {
    const rng = randomFrom(6, 'shift');
    const draw = (n: number, over: number) =>
      counted(
        Array.from({ length: n }, () => {
          const said = 0.6 + 0.4 * rng.uniform();
          return [said, rng.uniform() < said - over] as const;
        }),
      );
    let alarms = 0;
    for (let k = 0; k < 400; k++) if (calibrationShift(draw(1000, 0.1), draw(300, 0.1)).p <= 0.05) alarms++;
    expect(alarms).toBeLessThan(20 + 4 * Math.sqrt(19));
    expect(calibrationShift(draw(1000, 0), draw(600, 0.15)).p).toBeLessThan(1e-4);
  });

  it('keeps its word where p is small, too: a window that is right more often than usual does not look surer than it is', () => {
    const rng = randomFrom(5, 'calm windows');
    const draw = (n: number) => {
      const counts = confidenceCounts(10);
      for (let i = 0; i < n; i++) {
        const said = 1 - 0.35 * rng.uniform() ** 2 - 0.3 * rng.uniform() ** 4;
        countConfidence(counts, said, rng.uniform() < said);
      }
      return counts;
    };
    let [rare, windows] = [0, 0];
    for (let k = 0; k < 40; k++) {
      const usual = draw(2000);
      for (let i = 0; i < 500; i++, windows++) if (calibrationShift(usual, draw(300)).p <= 0.001) rare++;
    }
    const promised = 0.001 * windows;
    expect(rare).toBeLessThan(promised + 4 * Math.sqrt(promised));
    expect(rare).toBeGreaterThan(0);
  });
});
