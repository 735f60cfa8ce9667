import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { cramerVonMises, cramerVonMisesTail } from './cramer-von-mises.ts';
import { kolmogorovSmirnov, kolmogorovTail } from './kolmogorov-smirnov.ts';

const sorted = (values: Iterable<number>) => Float64Array.from(values).sort();
const A = sorted([0.31, 1.22, -0.45, 0.08, 2.1, 0.77, -1.3, 0.55]);
const B = sorted([0.9, 1.5, 2.2, 0.4, 3.1, 1.05]);
const X = sorted(Array.from({ length: 101 }, (_, i) => ((i * 37) % 101) / 101));
const Y = sorted(Array.from({ length: 89 }, (_, i) => (((i * 53) % 89) / 89) ** 1.5));

describe('kolmogorovSmirnov', () => {
  // scipy 1.17.1, stats.ks_2samp(method='exact')
  it('gives the exact figures of small and middling samples', () => {
    const small = kolmogorovSmirnov(A, B);
    expect(small.statistic).toBeCloseTo(0.5833333333333334, 14);
    expect(small.p).toBeCloseTo(0.13919413919413917, 13);
    const middle = kolmogorovSmirnov(X, Y);
    expect(middle.statistic).toBeCloseTo(0.15830459450439427, 14);
    expect(middle.p).toBeCloseTo(0.16245513809512438, 12);
  });

  it('is exact with ties: all 1,716 orders of these values counted one by one', () => {
    const { statistic, p } = kolmogorovSmirnov([1, 1, 2, 3, 3, 3, 4], [2, 3, 4, 4, 5, 5]);
    expect(statistic).toBeCloseTo(0.5238095238095237, 14);
    expect(p).toBeCloseTo(0.14918414918414918, 13);
  });

  // scipy 1.17.1, stats.kstwobign.sf
  it.each([
    [0.3, 0.9999906941986655],
    [0.5, 0.9639452436648751],
    [0.8276, 0.49995841656354456],
    [1, 0.26999967167735456],
    [1.3581, 0.0499996304316674],
    [2, 0.0006709252557796953],
    [3, 3.045995948942526e-8],
  ])('has the limiting tail at %d', (x, p) => {
    expect(Math.abs(kolmogorovTail(x) - p)).toBeLessThan(1e-12 + 1e-9 * p);
  });

  it('keeps small p-values: no order of 60 and 60 values but two is so far apart', () => {
    const low = Float64Array.from({ length: 60 }, (_, i) => i);
    const high = low.map((value) => value + 100);
    // 2 / C(120, 60)
    let orders = 1;
    for (let k = 1; k <= 60; k++) orders *= (60 + k) / k;
    expect(kolmogorovSmirnov(low, high).p / (2 / orders)).toBeCloseTo(1, 9);
  });

  it('is the same both ways round, 1 for equal samples, and does not mind infinities or emptiness', () => {
    const values = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(values, values, (left, right) => {
        const [a, b] = [sorted(left), sorted(right)];
        const [one, two] = [kolmogorovSmirnov(a, b), kolmogorovSmirnov(b, a)];
        expect(one.statistic).toBeCloseTo(two.statistic, 14);
        expect(one.p).toBeCloseTo(two.p, 10);
        expect(one.p >= 0 && one.p <= 1).toBe(true);
        expect(kolmogorovSmirnov(a, a)).toEqual({ statistic: 0, p: 1 });
      }),
    );
    expect(kolmogorovSmirnov([], [1])).toEqual({ statistic: 0, p: 1 });
    const infinite = [Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY];
    expect(kolmogorovSmirnov(infinite, infinite).statistic).toBe(0);
  });

  it('cries wolf no more often than it says, on 2,000 calm pairs', () => {
    const rng = randomFrom(3, 'ks');
    let alarms = 0;
    for (let k = 0; k < 2000; k++) {
      const draw = (n: number) => sorted(Array.from({ length: n }, () => rng.normal()));
      if (kolmogorovSmirnov(draw(60), draw(40), k % 2 === 0 ? 0 : 1e5).p <= 0.05) alarms++;
    }
    // 5 % and four standard deviations of the count
    expect(alarms).toBeLessThan(100 + 4 * Math.sqrt(95));
    expect(alarms).toBeGreaterThan(40);
  });
});

describe('cramerVonMises', () => {
  // scipy 1.17.1, stats.cramervonmises_2samp
  it('gives the exact p of a small pair and the limiting one of a larger', () => {
    const small = cramerVonMises(A, B);
    expect(small.statistic).toBeCloseTo(0.4136904761904763, 12);
    expect(small.p).toBeCloseTo(0.07459207459207459, 12);
    const middle = cramerVonMises(X, Y);
    // Both have a 0: scipy counts it by its mid-rank, here the functions are compared behind it.
    expect(middle.statistic).toBeCloseTo(0.5742345908156707, 6);
    expect(middle.p).toBeCloseTo(0.025896741407181345, 6);
  });

  // Anderson & Darling 1952, table 1: the 10 %, 5 %, 1 % and 0.1 % points
  it.each([
    [0.3473, 0.1],
    [0.46136, 0.05],
    [0.74346, 0.01],
    [1.16786, 0.001],
  ])('has the published point %d', (x, p) => {
    expect(cramerVonMisesTail(x) / p).toBeCloseTo(1, 3);
  });

  it('cries wolf as often as it says, on 2,000 calm pairs', () => {
    const rng = randomFrom(4, 'cvm');
    let alarms = 0;
    for (let k = 0; k < 2000; k++) {
      const draw = (n: number) => sorted(Array.from({ length: n }, () => rng.uniform()));
      if (cramerVonMises(draw(50), draw(30)).p <= 0.05) alarms++;
    }
    expect(Math.abs(alarms - 100)).toBeLessThan(4 * Math.sqrt(95));
  });
});
