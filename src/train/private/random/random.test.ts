import { createDecipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { gaussianNoise } from './gaussian-noise.ts';
import { freshKey, keyOfTestSeed, keyStream } from './key-stream.ts';
import { poissonBatch } from './poisson-batch.ts';
import { uniformReader } from './uniforms.ts';

/**
 * Every statistical test here uses a fresh key each time and fails a correct generator in fewer than one of 10⁷ runs: two-sided normal
 * quantile at 5·10⁻⁸ a side is 5.33, the Kolmogorov bound √(−ln(5·10⁻⁸) / 2n) = 2.9 / √n.
 */
const Z = 5.33;
const KOLMOGOROV = 2.9;

const fresh = () => keyStream(freshKey());
const mean = (v: Float64Array) => v.reduce((sum, x) => sum + x, 0) / v.length;

/** The normal distribution function, by the continued fraction and series of Abramowitz and Stegun 7.1.26 (error below 2·10⁻⁷). */
function normalCdf(x: number): number {
  const t = 1 / (1 + 0.3275911 * (Math.abs(x) / Math.SQRT2));
  const poly =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const erf = 1 - poly * Math.exp((-x * x) / 2);
  return 0.5 * (1 + Math.sign(x) * erf);
}

describe('keyStream', () => {
  const key = Uint8Array.from({ length: 32 }, (_, i) => i);

  it('is AES-256-CTR from a counter of purpose and step', () => {
    // Purpose 1 (4 bytes), step 7 (8 bytes), blocks from 0 (4 bytes).
    const counter = Buffer.from('00000001000000000000000700000000', 'hex');
    const cipher = createDecipheriv('aes-256-ctr', key, counter);
    expect(keyStream(key).reader('noise', 7)(40)).toEqual(new Uint8Array(cipher.update(new Uint8Array(40))));
  });

  it('gives the same bytes for the same key, purpose and step, and others for others', () => {
    const [a, b] = [keyStream(key), keyStream(key.slice())];
    expect(a.reader('noise', 3)(64)).toEqual(b.reader('noise', 3)(64));
    const others = [
      a.reader('noise', 4)(64),
      a.reader('sampling', 3)(64),
      a.reader('count', 3)(64),
      a.reader('feed', 3)(64),
      keyStream(keyOfTestSeed(1)).reader('noise', 3)(64),
      fresh().reader('noise', 3)(64),
    ].map((bytes) => Buffer.from(bytes).toString('hex'));
    expect(new Set([...others, Buffer.from(a.reader('noise', 3)(64)).toString('hex')]).size).toBe(7);
  });

  it('gives nothing once it was erased', () => {
    const stream = keyStream(key);
    stream.erase();
    expect(() => stream.reader('noise', 0)(8)).toThrow(/erased/);
    expect(() => stream.key()).toThrow(/erased/);
  });

  it('refuses a key of another length', () => {
    expect(() => keyStream(new Uint8Array(16)).reader('noise', 0)(8)).toThrow(/expected a key/);
  });
});

describe('gaussianNoise', () => {
  const COUNT = 400_000;

  it('has the moments of normal noise', () => {
    const sigma = 3.5;
    const noise = gaussianNoise(fresh(), 'noise', 0, { count: COUNT, sigma }).map((v) => v / sigma);
    // Standard errors of mean, variance, skewness and kurtosis of n normal numbers: 1, √2, √15 (third moment), √96 over √n.
    const power = (k: number) => mean(noise.map((v) => v ** k));
    const error = Z / Math.sqrt(COUNT);
    expect(Math.abs(power(1))).toBeLessThan(error);
    expect(Math.abs(power(2) - 1)).toBeLessThan(Math.SQRT2 * error);
    expect(Math.abs(power(3))).toBeLessThan(Math.sqrt(15) * error);
    expect(Math.abs(power(4) - 3)).toBeLessThan(Math.sqrt(96) * error);
  });

  it('is distributed normally (Kolmogorov and Smirnov)', () => {
    const noise = gaussianNoise(fresh(), 'noise', 0, { count: COUNT, sigma: 1 }).sort();
    let most = 0;
    for (const [i, v] of noise.entries())
      most = Math.max(most, Math.abs(normalCdf(v) - i / COUNT), Math.abs(normalCdf(v) - (i + 1) / COUNT));
    expect(most).toBeLessThan(KOLMOGOROV / Math.sqrt(COUNT) + 2e-7);
  });

  it.each([1, 2])('is not correlated %i apart, neither are its squares', (lag) => {
    const noise = gaussianNoise(fresh(), 'noise', 0, { count: 200_000, sigma: 1 });
    const n = noise.length - lag;
    for (const f of [(v: number) => v, (v: number) => (v * v - 1) / Math.SQRT2]) {
      const sum = noise.subarray(0, n).reduce((all, v, i) => all + f(v) * f(noise[i + lag]!), 0);
      // Squares have heavier tails: their product's sum is normal to within a few per cent at this n.
      expect(Math.abs(sum) / Math.sqrt(n)).toBeLessThan(1.15 * Z);
    }
  });

  it('is not correlated between steps, nor between keys', () => {
    const count = 200_000;
    const stream = fresh();
    const draw = (s: typeof stream, step: number) => gaussianNoise(s, 'noise', step, { count, sigma: 1 });
    const first = draw(stream, 0);
    for (const other of [draw(stream, 1), draw(stream, 256), draw(fresh(), 0)]) {
      const sum = first.reduce((all, v, i) => all + v * other[i]!, 0);
      expect(Math.abs(sum) / Math.sqrt(count)).toBeLessThan(Z);
    }
  });

  it('is the same again from the same key', () => {
    const key = freshKey();
    const how = { count: 1001, sigma: 0.25 };
    expect(gaussianNoise(keyStream(key), 'noise', 9, how)).toEqual(
      gaussianNoise(keyStream(key), 'noise', 9, how),
    );
  });
});

describe('uniformsOf', () => {
  it('is uniform on [0, 1) with 53 bits', () => {
    const n = 200_000;
    const uniforms = new Float64Array(n);
    uniformReader(fresh(), 'sampling', 0)(uniforms);
    uniforms.sort();
    let most = 0;
    for (const [i, v] of uniforms.entries())
      most = Math.max(most, Math.abs(v - i / n), Math.abs(v - (i + 1) / n));
    expect(most).toBeLessThan(KOLMOGOROV / Math.sqrt(n));
    expect(uniforms.every((u) => u >= 0 && u < 1 && Number.isInteger(u * 2 ** 53))).toBe(true);
    // The lowest bit is a coin, too.
    const odd = uniforms.filter((u) => (u * 2 ** 53) % 2 === 1).length;
    expect(Math.abs(odd - n / 2) / Math.sqrt(n / 4)).toBeLessThan(Z);
  });
});

describe('poissonBatch', () => {
  it('takes each sample with the rate, independently of others and of other steps', () => {
    const [n, rate, steps] = [1000, 0.1, 1000];
    const stream = fresh();
    const taken = new Float64Array(n);
    const sizes: number[] = [];
    let [pairs, again] = [0, 0];
    let before = new Uint8Array(n);
    for (let step = 0; step < steps; step++) {
      const batch = poissonBatch(stream, step, n, rate);
      const now = new Uint8Array(n);
      for (const i of batch) {
        taken[i]! += 1;
        now[i] = 1;
      }
      sizes.push(batch.length);
      for (let i = 0; i < n; i++) {
        again += now[i]! & before[i]!;
        if (i > 0) pairs += now[i]! & now[i - 1]!;
      }
      before = now;
    }
    const off = (got: number, trials: number, p: number) =>
      Math.abs(got - trials * p) / Math.sqrt(trials * p * (1 - p));
    expect(
      off(
        sizes.reduce((a, b) => a + b),
        n * steps,
        rate,
      ),
    ).toBeLessThan(Z);
    // Neighbouring trials of pairs share a coin: the variance is larger by at most 1 + 2 · rate.
    expect(off(again, n * (steps - 1), rate ** 2)).toBeLessThan(1.1 * Z);
    expect(off(pairs, (n - 1) * steps, rate ** 2)).toBeLessThan(1.1 * Z);
    // Sizes vary as a sum of independent coins does: variance of the variance estimate is about 2 / steps.
    const variance =
      sizes.reduce((sum, size) => sum + (size - n * rate) ** 2, 0) / steps / (n * rate * (1 - rate));
    expect(Math.abs(variance - 1) / Math.sqrt(2 / steps)).toBeLessThan(1.1 * Z);
    // No sample is taken much more often than others: of 1,000, the largest deviation stays below the quantile at 5·10⁻¹¹.
    expect(Math.max(...taken.map((count) => off(count, steps, rate)))).toBeLessThan(7);
  });

  it('gives an empty batch with the probability that all stay out', () => {
    const [n, rate, steps] = [10, 0.1, 4000];
    const stream = fresh();
    let empty = 0;
    for (let step = 0; step < steps; step++) if (poissonBatch(stream, step, n, rate).length === 0) empty++;
    const p = (1 - rate) ** n;
    expect(Math.abs(empty - steps * p) / Math.sqrt(steps * p * (1 - p))).toBeLessThan(Z);
  });

  it('takes all at rate 1, and the same again from the same key', () => {
    const key = freshKey();
    expect([...poissonBatch(keyStream(key), 0, 5, 1)]).toEqual([0, 1, 2, 3, 4]);
    expect(poissonBatch(keyStream(key), 4, 100, 0.3)).toEqual(poissonBatch(keyStream(key), 4, 100, 0.3));
  });
});
