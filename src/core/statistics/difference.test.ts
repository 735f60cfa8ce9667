import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pairedDifference, unpairedDifference } from './difference.ts';

const side = fc.integer({ min: 0, max: 400 });
const counts = fc.record({ both: side, onlyFirst: side, onlySecond: side, neither: side });

describe('pairedDifference', () => {
  // [36, 12, 2, 0] is an example of Newcombe's paper; [59, 16, 6, 80] (Cavo et al.
  // 2012) stands in the tests of the R package contingencytables; the others from the formula, programmed in Python.
  it.each([
    [36, 12, 2, 0, -0.2, -0.3404, -0.0569],
    [59, 16, 6, 80, -0.0621, -0.1186, -0.0046],
    [1, 7, 1, 12, -0.2857, -0.5069, -0.0256],
    [600, 10, 82, 308, 0.072, 0.0536, 0.0904],
    [10, 0, 0, 10, 0, -0.0898, 0.0898],
    [0, 0, 0, 10, 0, -0.2775, 0.2775],
  ])(
    'gives the interval of %i, %i, %i, %i',
    (both, onlyFirst, onlySecond, neither, difference, low, high) => {
      const found = pairedDifference({ both, onlyFirst, onlySecond, neither });
      expect(found.difference).toBeCloseTo(difference, 4);
      expect(found.interval[0]).toBeCloseTo(low, 4);
      expect(found.interval[1]).toBeCloseTo(high, 4);
    },
  );

  it('holds the difference, stays in [−1, 1] and turns around with the two sides', () => {
    fc.assert(
      fc.property(counts, (each) => {
        const { difference, interval } = pairedDifference(each);
        expect(interval[0]).toBeLessThanOrEqual(difference);
        expect(interval[1]).toBeGreaterThanOrEqual(difference);
        expect(Math.max(...interval.map(Math.abs))).toBeLessThanOrEqual(1);
        const turned = pairedDifference({
          ...each,
          onlyFirst: each.onlySecond,
          onlySecond: each.onlyFirst,
        });
        expect(turned.difference).toBeCloseTo(-difference, 12);
        expect(turned.interval[0]).toBeCloseTo(-interval[1], 12);
      }),
    );
  });

  it('is narrower than the unpaired interval where the pairs agree', () => {
    const paired = pairedDifference({ both: 500, onlyFirst: 10, onlySecond: 30, neither: 460 });
    const unpaired = unpairedDifference([510, 1000], [530, 1000]);
    expect(paired.difference).toBeCloseTo(unpaired.difference, 12);
    expect(paired.interval[0]).toBeGreaterThan(0);
    expect(unpaired.interval[0]).toBeLessThan(0);
  });

  it('covers the true difference about as often as it says', () => {
    // Exact coverage on 20 pairs: the sum over all tables of their probability, where the interval holds the truth.
    const [e, f, g, h] = [0.5, 0.1, 0.25, 0.15];
    const factorial = Array.from({ length: 21 }, () => 1);
    for (let i = 1; i <= 20; i++) factorial[i] = factorial[i - 1]! * i;
    let covered = 0;
    for (let a = 0; a <= 20; a++)
      for (let b = 0; a + b <= 20; b++)
        for (let c = 0; a + b + c <= 20; c++) {
          const d = 20 - a - b - c;
          const [low, high] = pairedDifference({
            both: a,
            onlyFirst: b,
            onlySecond: c,
            neither: d,
          }).interval;
          const ways = factorial[20]! / (factorial[a]! * factorial[b]! * factorial[c]! * factorial[d]!);
          if (low <= g - f && g - f <= high) covered += ways * e ** a * f ** b * g ** c * h ** d;
        }
    expect(covered).toBeGreaterThan(0.94);
    expect(covered).toBeLessThan(0.985);
  });

  it('knows nothing without pairs', () => {
    expect(pairedDifference({ both: 0, onlyFirst: 0, onlySecond: 0, neither: 0 })).toEqual({
      difference: 0,
      interval: [-1, 1],
    });
  });

  it('refuses counts that are none', () => {
    expect(() => pairedDifference({ both: -1, onlyFirst: 2, onlySecond: 0, neither: 0 })).toThrow(/expected/);
    expect(() => pairedDifference({ both: 0.5, onlyFirst: 0.5, onlySecond: 0, neither: 0 })).toThrow(
      /expected/,
    );
  });
});

describe('unpairedDifference', () => {
  // Newcombe 1998, Statistics in Medicine 17, 873, table II, method 10.
  it.each([
    [56, 70, 48, 80, 0.0524, 0.3339],
    [9, 10, 3, 10, 0.1705, 0.809],
    [6, 7, 2, 7, 0.0582, 0.8062],
    [5, 56, 0, 29, -0.0381, 0.1926],
    [0, 10, 0, 20, -0.1611, 0.2775],
    [10, 10, 0, 20, 0.6791, 1],
  ])('gives the published interval of %i/%i − %i/%i', (a, m, b, n, low, high) => {
    const { interval } = unpairedDifference([b, n], [a, m]);
    expect(interval[0]).toBeCloseTo(low, 4);
    expect(interval[1]).toBeCloseTo(high, 4);
  });

  it('knows nothing without samples on a side', () => {
    expect(unpairedDifference([0, 0], [3, 5]).interval).toEqual([-1, 1]);
  });
});
