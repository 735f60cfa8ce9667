import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomFrom } from '../core/random.ts';
import { type Ball, distance, epsFrom, normFrom, randomStart } from './norm.ts';

describe('normFrom and epsFrom', () => {
  it('read what the command line takes', () => {
    expect(normFrom('L2')).toBe('l2');
    expect(['0.3', '8/255', ' 1e-2 ', '0', '.5', '8 / 255'].map(epsFrom)).toEqual([
      0.3,
      8 / 255,
      0.01,
      0,
      0.5,
      8 / 255,
    ]);
  });

  it.each(['', 'x', '-1', '1/0', '0/0', '1e999', '1/2/3', '0x1', '8/-255', 'NaN', '1..2'])(
    'refuse eps %j',
    (text) => {
      expect(() => epsFrom(text)).toThrow(/--eps: expected a number or fraction/);
    },
  );

  it('refuse another norm with the ones there are', () => {
    expect(() => normFrom('linfinity')).toThrow("--norm: expected linf, l2, l1, l0, got 'linfinity'");
  });
});

describe('distance', () => {
  const x = Float32Array.of(9, 1, -2, 2, 0);
  const x0 = Float32Array.of(0, 0, 0, 0, 0);
  it.each([
    ['linf', 2],
    ['l2', 3],
    ['l1', 5],
    ['l0', 3],
  ] as const)('in %s of one row is %d, the others left alone', (norm, expected) => {
    expect(distance(norm, x, x0, 1, 4)).toBe(expected);
  });

  it.each(['linf', 'l2', 'l1'] as const)('in %s is NaN where an element is', (norm) => {
    expect(distance(norm, Float32Array.of(1, Number.NaN, 5), new Float32Array(3), 0, 3)).toBeNaN();
  });
});

describe('randomStart', () => {
  const start = (ball: Ball, x0: Float32Array, offset: number, length: number, seed: number) => {
    const x = new Float32Array(x0.length).fill(77);
    randomStart(ball, x0, x, offset, length, randomFrom(seed, 'start'));
    return x;
  };

  it.each(['linf', 'l2', 'l1'] as const)('in %s stays in ball and bounds and in its row', (norm) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.double({ min: 0, max: 3, noNaN: true }),
        fc.nat(),
        (length, eps, seed) => {
          const draws = randomFrom(seed, 'x0');
          const x0 = Float32Array.from({ length: length + 4 }, () => draws.uniform());
          const x = start({ norm, eps, bounds: [0, 1] }, x0, 2, length, seed);
          expect([x[0], x[1], x.at(-1), x.at(-2)]).toEqual([77, 77, 77, 77]);
          const row = x.subarray(2, 2 + length);
          expect(row.every((v) => v >= 0 && v <= 1)).toBe(true);
          expect(distance(norm, x, x0, 2, length)).toBeLessThanOrEqual(eps * (1 + 1e-6) + 1e-6);
        },
      ),
    );
  });

  /** `(‖δ‖ / eps)^degrees` of many starts: uniform in [0, 1] when the start is uniform in a ball of that dimension. */
  const levels = (norm: 'linf' | 'l2' | 'l1', d: number) =>
    Array.from({ length: 3000 }, (_, i) => {
      const x0 = new Float32Array(d);
      const x = start({ norm, eps: 2, bounds: [-9, 9] }, x0, 0, d, i);
      return (distance(norm, x, x0, 0, d) / 2) ** d;
    }).sort((a, b) => a - b);

  it.each(['linf', 'l2', 'l1'] as const)(
    'in %s is uniform in the ball: volume below every radius',
    (norm) => {
      for (const d of [1, 3, 8]) {
        // Kolmogorov–Smirnov: 2.3 / √n is beyond the 0.9999 quantile.
        const sorted = levels(norm, d);
        const gap = Math.max(...sorted.map((v, i) => Math.abs(v - (i + 0.5) / sorted.length)));
        expect(gap, `dimension ${d}`).toBeLessThan(2.3 / Math.sqrt(sorted.length));
      }
    },
  );

  it.each(['linf', 'l2', 'l1'] as const)('in %s favours no coordinate and no sign', (norm) => {
    const sums = new Float64Array(3);
    const sizes = new Float64Array(3);
    for (let i = 0; i < 3000; i++) {
      const x = start({ norm, eps: 1, bounds: [-9, 9] }, new Float32Array(3), 0, 3, i);
      for (let k = 0; k < 3; k++) {
        sums[k]! += x[k]!;
        sizes[k]! += Math.abs(x[k]!);
      }
    }
    expect(sums.every((s) => Math.abs(s / 3000) < 0.055)).toBe(true);
    expect(Math.max(...sizes) / Math.min(...sizes)).toBeLessThan(1.1);
  });

  it('is the same for the same stream and another for another', () => {
    const ball = { norm: 'l2', eps: 1, bounds: [0, 1] } as const;
    const x0 = new Float32Array(5).fill(0.5);
    expect(start(ball, x0, 0, 5, 1)).toEqual(start(ball, x0, 0, 5, 1));
    expect(start(ball, x0, 0, 5, 1)).not.toEqual(start(ball, x0, 0, 5, 2));
  });

  it('in l0 is refused', () => {
    expect(() => start({ norm: 'l0', eps: 1, bounds: [0, 1] }, new Float32Array(2), 0, 2, 1)).toThrow(
      /got l0/,
    );
  });
});
