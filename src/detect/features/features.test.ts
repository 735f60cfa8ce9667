import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import type { Observations, Watched } from '../detector.ts';
import { whitening } from './cholesky.ts';
import { dot } from './dot.ts';
import { distanceTo, fitGaussians, whiten } from './gaussian.ts';
import { mahalanobis } from './mahalanobis.ts';
import { nearestFeatures } from './nearest.ts';
import { MOST_FEATURES, sketchFor } from './sketch.ts';

const rng = randomFrom(7, 'features');
const normal = (n: number) => Float32Array.from({ length: n }, () => rng.normal());

/** `n` samples of two classes about (±3, 0, …), the class decided by the scores. */
function clusters(n: number, width: number, spread = 1): Observations {
  const own = randomFrom(7, 'clusters', n, width);
  const features = Float32Array.from({ length: n * width }, () => spread * own.normal());
  const scores = new Float32Array(2 * n);
  for (let i = 0; i < n; i++) {
    features[i * width]! += i % 2 === 0 ? 3 : -3;
    scores[2 * i + (i % 2)] = 1;
  }
  return { n, x: new Float32Array(n), scores, features };
}

const watchedAt = (features: number): Watched => ({ sampleDims: [1], classes: 2, gives: 'logits', features });

describe('dot', () => {
  it.each([0, 1, 3, 4, 7, 128])('adds %d products, from any place', (n) => {
    const [a, b] = [normal(n + 3), normal(n + 5)];
    let sum = 0;
    for (let i = 0; i < n; i++) sum += a[3 + i]! * b[5 + i]!;
    expect(dot(a, 3, b, 5, n)).toBeCloseTo(sum, 10);
  });
});

describe('whitening', () => {
  it('is the inverse of the Cholesky factor', () => {
    const c = Float64Array.of(4, 2, 0, 2, 5, 1, 0, 1, 3);
    const w = whitening(c, 3, 0)!;
    // W C Wᵀ = 1.
    for (let i = 0; i < 3; i++)
      for (let j = 0; j < 3; j++) {
        let sum = 0;
        for (let k = 0; k < 3; k++)
          for (let l = 0; l < 3; l++) sum += w[i * 3 + k]! * c[k * 3 + l]! * w[j * 3 + l]!;
        expect(sum).toBeCloseTo(i === j ? 1 : 0, 10);
      }
  });

  it('needs a positive definite matrix, which a ridge can make of a singular one', () => {
    const singular = Float64Array.of(1, 1, 1, 1);
    expect(whitening(singular, 2, 0)).toBeUndefined();
    expect(whitening(singular, 2, 0.1)).toBeDefined();
    expect(whitening(Float64Array.of(Number.NaN), 1, 1)).toBeUndefined();
  });
});

describe('fitGaussians', () => {
  it('gives the distance in units of the shared deviation', () => {
    const n = 4000;
    const { features } = clusters(n, 2);
    const rows = features!.map((v, i) => (i % 2 === 1 ? 10 * v : v));
    const fit = fitGaussians(
      rows,
      2,
      Array.from({ length: n }, (_, i) => i % 2),
      2,
    );
    const white = new Float32Array(2);
    whiten(fit.whitener, 2, Float32Array.of(3, 20), white);
    // Two deviations of 10 in the second direction: 4; the ridge takes a little.
    expect(distanceTo(fit, 0, white)).toBeGreaterThan(3.6);
    expect(distanceTo(fit, 0, white)).toBeLessThan(4.4);
  });

  it('knows which features go together', () => {
    const rows = new Float32Array(2000);
    for (let i = 0; i < 1000; i++) {
      rows[2 * i] = rng.normal();
      rows[2 * i + 1] = rows[2 * i]! + 0.5 * rng.normal();
    }
    const fit = fitGaussians(rows, 2, new Uint8Array(1000), 1);
    const distance = (...features: readonly number[]) => {
      const white = new Float32Array(2);
      whiten(fit.whitener, 2, Float32Array.from(features), white);
      return distanceTo(fit, 0, white);
    };
    expect(distance(2, 2)).toBeLessThan(6);
    expect(distance(2, -2)).toBeGreaterThan(40);
  });

  it('refuses samples that do not differ', () => {
    expect(() => fitGaussians(new Float32Array(20), 2, new Uint8Array(10), 1)).toThrow(/features differ/);
    expect(() => fitGaussians(Float32Array.of(1, 2), 2, [0], 1)).toThrow(/at least two samples/);
  });
});

describe('sketchFor', () => {
  it('copies what is short and keeps inner products of what is long, on average', () => {
    const short = new Float32Array(3);
    sketchFor(3).sketch(Float32Array.of(9, 1, 2, 3), 1, short);
    expect([...short]).toEqual([1, 2, 3]);
    const width = 4096;
    const { width: to, sketch } = sketchFor(width);
    expect(to).toBe(MOST_FEATURES);
    const a = normal(width);
    const small = new Float32Array(to);
    sketch(a, 0, small);
    expect(dot(small, 0, small, 0, to) / dot(a, 0, a, 0, width)).toBeCloseTo(1, 0);
  });
});

describe.each([
  ['mahalanobis', mahalanobis],
  ['nearest-features', nearestFeatures],
] as const)('%s', (_, detector) => {
  const width = 8;
  const watched = watchedAt(width);
  const fit = detector.fit(clusters(400, width), watched) as never;

  const scoresOf = async (seen: Observations) => detector.open(fit, watched)(seen);

  it('scores features that no class has above those of calm samples', async () => {
    const calm = await scoresOf(clusters(200, width));
    const stranger = { ...clusters(2, width, 0.1) };
    stranger.features!.fill(0);
    stranger.features!.fill(4, 1, 3);
    stranger.features!.fill(-4, width + 1, width + 3);
    const strange = await scoresOf(stranger);
    const least = Math.min(...strange);
    expect(calm.filter((s) => s >= least).length).toBeLessThan(4);
  });

  it('scores a sample by the class that the model predicts', async () => {
    const calm = clusters(2, width, 0.1);
    const swapped = { ...calm, scores: Float32Array.of(0, 1, 1, 0) };
    const [own, other] = [await scoresOf(calm), await scoresOf(swapped)];
    expect(other[0]).toBeGreaterThan(own[0]!);
    expect(other[1]).toBeGreaterThan(own[1]!);
  });

  it('has no score for a class that it saw nothing of, nor for features that are no numbers', async () => {
    const three = { ...watched, classes: 3 };
    const calm = clusters(100, width);
    const wide = new Float32Array(300);
    for (let i = 0; i < 100; i++) wide.set(calm.scores.subarray(2 * i, 2 * i + 2), 3 * i);
    const open = detector.open(detector.fit({ ...calm, scores: wide }, three) as never, three);
    const [unseen] = await open({ ...clusters(1, width), scores: Float32Array.of(0, 0, 1) });
    expect(unseen).toBeNaN();
    const broken = { ...clusters(1, width), scores: Float32Array.of(1, 0, 0) };
    broken.features![3] = Number.NaN;
    expect((await open(broken))[0]).toBeNaN();
  });

  it('judges each sample by itself', async () => {
    const seen = clusters(6, width);
    const together = await scoresOf(seen);
    for (let i = 0; i < 6; i++) {
      const [alone] = await scoresOf({
        n: 1,
        x: new Float32Array(1),
        scores: seen.scores.slice(2 * i, 2 * i + 2),
        features: seen.features!.slice(i * width, (i + 1) * width),
      });
      expect(alone).toBe(together[i]);
    }
  });

  it('refuses a fit of another width or number of classes, and a model without features', () => {
    expect(() => detector.open(fit, watchedAt(9))).toThrow(/expected a calibration for 9 features/);
    expect(() => detector.open(fit, { ...watched, classes: 5 })).toThrow(/expected a calibration/);
    expect(() => detector.open(fit, { ...watched, features: undefined })).toThrow(/known, got one without/);
  });
});

describe('mahalanobis', () => {
  it('is relative: a direction in which classes do not differ counts for little, however far a sample lies', async () => {
    const watched = watchedAt(4);
    const scorer = mahalanobis.open(mahalanobis.fit(clusters(2000, 4), watched), watched);
    const at = (...features: readonly number[]) =>
      scorer({
        n: 1,
        x: new Float32Array(1),
        scores: Float32Array.of(1, 0),
        features: Float32Array.from(features),
      }) as Float64Array;
    const [home] = at(3, 0, 0, 0);
    // Fifty deviations: 2500 by the plain distance.
    expect(Math.abs(at(3, 50, 0, 0)[0]! - home!)).toBeLessThan(60);
    // Where the other class is.
    expect(at(-3, 0, 0, 0)[0]! - home!).toBeGreaterThan(25);
  });
});
