import { describe, expect, it } from 'vitest';
import { type Rng, randomFrom } from '../../core/random.ts';
import { densityDifference } from './density-difference.ts';
import { embed, embeddingTest, meanOf, permutedEmbeddingTest, weightedTail } from './embedding-test.ts';
import { chiSquareTail } from './gamma.ts';
import { meanDiscrepancy } from './mean-discrepancy.ts';
import { type FeatureMap, fourierFeatures, medianDistance } from './radial-kernel.ts';

const A = [0.31, 1.22, -0.45, 0.08, 2.1, 0.77, -1.3, 0.55];
const B = [0.9, 1.5, 2.2, 0.4, 3.1, 1.05];

const mapped = (features: FeatureMap, rows: ArrayLike<number>, n: number) => {
  const all = new Float64Array(n * features.size);
  for (let i = 0; i < n; i++) features.write(rows, i, all, i * features.size);
  return all;
};
const normals = (n: number, width: number, rng: Rng, by = 0) =>
  Float64Array.from({ length: n * width }, () => rng.normal() + by);

describe('meanDiscrepancy', () => {
  it('is the unbiased estimate', () => {
    // numpy 2.4.6 from the formula: off-diagonal means of exp(−d²/2) within, minus twice the mean across
    const { statistic } = meanDiscrepancy(A, 8, B, 6, 1, { rng: randomFrom(1), bandwidth: 1 });
    expect(statistic).toBeCloseTo(0.06598967793841215, 12);
  });

  it('sees other spreads that have the same mean, and is calm where nothing moved', () => {
    const rng = randomFrom(2, 'mmd');
    const wide = normals(80, 3, rng).map((value) => 2 * value);
    expect(meanDiscrepancy(normals(80, 3, rng), 80, wide, 80, 3, { rng, permutations: 99 }).p).toBe(0.01);
    let alarms = 0;
    for (let k = 0; k < 200; k++) {
      const options = { rng, permutations: 39 };
      if (meanDiscrepancy(normals(20, 2, rng), 20, normals(15, 2, rng), 15, 2, options).p <= 0.05) alarms++;
    }
    expect(alarms).toBeLessThanOrEqual(10 + 4 * 3.1);
    expect(meanDiscrepancy([1], 1, [1, 2], 2, 1, { rng }).p).toBe(1);
  });
});

describe('fourierFeatures', () => {
  it('give the kernel by their products', () => {
    const rng = randomFrom(3, 'fourier');
    const features = fourierFeatures(4, 4000, 1.5, rng);
    const rows = normals(6, 4, rng);
    const all = mapped(features, rows, 6);
    for (let i = 0; i < 6; i++)
      for (let j = 0; j < 6; j++) {
        let [product, distance] = [0, 0];
        for (let k = 0; k < features.size; k++)
          product += all[i * features.size + k]! * all[j * features.size + k]!;
        for (let k = 0; k < 4; k++) distance += (rows[4 * i + k]! - rows[4 * j + k]!) ** 2;
        expect(Math.abs(product - Math.exp(-distance / 4.5))).toBeLessThan(0.08);
      }
  });
});

describe('medianDistance', () => {
  it('is the median of the pairs', () => {
    expect(medianDistance([0, 1, 3], 3, 1, randomFrom(1))).toBe(2);
    expect(medianDistance([5, 5, 5, 5], 4, 1, randomFrom(1))).toBe(1);
    expect(medianDistance([5, 5, 5, 5, 5, 8], 6, 1, randomFrom(1))).toBe(3);
    const rng = randomFrom(4);
    // The distance of two standard normal points is √2 |z|, of median √2 · 0.6745.
    expect(medianDistance(normals(500, 1, rng), 500, 1, rng)).toBeCloseTo(0.954, 1);
  });
});

describe('densityDifference', () => {
  it('is the figure of the published formula', () => {
    // numpy 2.4.6: H = √π σ exp(−d²/4σ²), θ = (H + λI)⁻¹h, 2hᵀθ − θᵀHθ with all points as centres, σ = 0.7, λ = 0.1
    const scale = Math.sqrt(Math.PI) * 0.7;
    const { features, form } = densityDifference([...A, ...B], 14, 1, 0.7, 0.1 / scale);
    const [p, q] = [meanOf(mapped(features, A, 8), 8, 14), meanOf(mapped(features, B, 6), 6, 14)];
    let sum = 0;
    for (let i = 0; i < 14; i++)
      for (let j = 0; j < 14; j++) sum += (p[i]! - q[i]!) * form[i * 14 + j]! * (p[j]! - q[j]!);
    expect(sum / scale).toBeCloseTo(0.16687373709676823, 10);
  });
});

describe('weightedTail', () => {
  it('is χ² where all weights are equal', () => {
    for (const x of [2, 5, 12, 30]) expect(weightedTail(x, [5, 5, 5])).toBeCloseTo(chiSquareTail(x, 5), 12);
  });

  it('is near the simulated tail of uneven weights', () => {
    const rng = randomFrom(7, 'weights');
    const weights = [1, 0.5, 0.2, 0.1, 0.1, 0.05];
    const power = (k: number) => weights.reduce((sum, w) => sum + w ** k, 0);
    const draws = Array.from({ length: 40_000 }, () =>
      weights.reduce((sum, w) => sum + w * rng.normal() ** 2, 0),
    );
    for (const x of [4, 7, 9]) {
      const share = draws.filter((draw) => draw >= x).length / draws.length;
      const p = weightedTail(x, [power(1), power(2), power(3)]);
      expect(Math.abs(p - share)).toBeLessThan(0.15 * share + 4 * Math.sqrt(share / draws.length));
    }
  });
});

describe('embeddingTest', () => {
  const width = 5;
  const rng = randomFrom(8, 'embedding');
  const reference = normals(1000, width, rng);
  const fourier = fourierFeatures(width, 64, 3, rng);
  const lsdd = densityDifference(normals(40, width, rng), 40, width, 3, 0.1);

  for (const [name, features, form] of [
    ['mean discrepancy', fourier, undefined],
    ['density difference', lsdd.features, lsdd.form],
  ] as const) {
    const embedding = embed(features, reference, 1000, form);
    const test = (rows: Float64Array, n: number) =>
      embeddingTest(embedding, meanOf(mapped(features, rows, n), n, features.size), n, form).p;

    it(`cries wolf as often as it says (${name})`, () => {
      let [often, seldom] = [0, 0];
      for (let k = 0; k < 500; k++) {
        const p = test(normals(100, width, rng), 100);
        if (p <= 0.05) often++;
        if (p <= 0.005) seldom++;
      }
      // One reference for all: it has chance errors of its own, a fifth of the window's variance at these sizes.
      expect(often).toBeLessThan(60);
      expect(often).toBeGreaterThan(5);
      expect(seldom).toBeLessThan(12);
    });

    it(`sees a shift of a third of a standard deviation (${name})`, () => {
      let seen = 0;
      for (let k = 0; k < 20; k++) if (test(normals(100, width, rng, 0.33), 100) < 1e-4) seen++;
      expect(seen).toBeGreaterThanOrEqual(18);
    });

    it(`agrees with permutations (${name})`, () => {
      for (const by of [0, 0.15]) {
        const [a, b] = [normals(150, width, rng), normals(60, width, rng, by)];
        const all = new Float64Array(210 * features.size);
        all.set(mapped(features, a, 150));
        all.set(mapped(features, b, 60), 150 * features.size);
        const permuted = permutedEmbeddingTest(all, 150, 60, features.size, {
          rng,
          ...(form && { form }),
          permutations: 199,
        });
        const { p, statistic } = embeddingTest(
          embed(features, a, 150, form),
          meanOf(mapped(features, b, 60), 60, features.size),
          60,
          form,
        );
        expect(statistic).toBeCloseTo(permuted.statistic, 9);
        expect(Math.abs(p - permuted.p)).toBeLessThan(0.03 + 0.4 * permuted.p);
      }
    });
  }
});
