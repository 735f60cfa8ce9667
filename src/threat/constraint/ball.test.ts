import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Ball, distance, NORMS } from '../norm.ts';
import { inBall, intoBall } from './ball.ts';
import { eightBitValues } from './eight-bit.ts';
import { ceilFloat32, floorFloat32, nextFloat32 } from './float32.ts';
import { l1Threshold } from './l1.ts';

const rows = fc.array(
  fc.tuple(fc.double({ min: -2, max: 3, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
  {
    minLength: 1,
    maxLength: 12,
  },
);

/** None, or one that float32 can tell from none beside values of about 1. */
const radii = fc.oneof(fc.constant(0), fc.double({ min: 1e-5, max: 3, noNaN: true }));

describe('intoBall', () => {
  it.each(NORMS)('in %s ends in ball and bounds, and leaves alone what is there', (norm) => {
    fc.assert(
      fc.property(rows, radii, (pairs, eps) => {
        const ball: Ball = { norm, eps, bounds: [0, 1] };
        const clean = Float32Array.from(pairs, ([, c]) => c);
        const row = Float32Array.from(pairs, ([v]) => v);
        const was = row.slice();
        const inside = inBall(ball, row, clean);
        intoBall(ball, row, clean);
        expect(inBall(ball, row, clean)).toBe(true);
        expect(distance(norm, row, clean, 0, row.length)).toBeLessThanOrEqual(eps * (1 + 1e-6) + 1e-6);
        if (inside) expect(row).toEqual(was);
      }),
    );
  });

  it('takes the nearest point of the ball', () => {
    const into = (norm: Ball['norm'], eps: number, values: readonly number[]) => {
      const row = Float32Array.from(values);
      intoBall({ norm, eps, bounds: [-9, 9] }, row, new Float32Array(values.length));
      return [...row];
    };
    expect(into('linf', 1, [3, -0.5, -2])).toEqual([1, -0.5, -1]);
    expect(into('l2', 1, [3, -4, 0])).toEqual(
      [Math.fround(0.6), -Math.fround(0.8), 0].map((v) => expect.closeTo(v, 6)),
    );
    expect(into('l1', 1, [1, -0.5, 0.1])).toEqual([0.75, -0.25, 0]);
    expect(into('l0', 1, [1, -2, 0.1])).toEqual([0, -2, 0]);
  });

  it('keeps large values in a small ball, where float32 cannot take the step', () => {
    const clean = Float32Array.of(1e6);
    for (const norm of ['linf', 'l2', 'l1'] as const) {
      const row = Float32Array.of(1e6 + 1);
      intoBall({ norm, eps: 0.01, bounds: [-1e9, 1e9] }, row, clean);
      expect(row).toEqual(clean);
    }
  });
});

describe('inBall', () => {
  it('holds 8 of 255 levels at eps 8/255 from every level, and never 9', () => {
    for (const range of [
      [0, 1],
      [-1, 1],
      [-2.1179, 2.64],
    ] as const) {
      const values = eightBitValues(range);
      const ball: Ball = { norm: 'linf', eps: (8 / 255) * (range[1] - range[0]), bounds: range };
      for (let k = 0; k + 9 < 256; k++) {
        expect(inBall(ball, values.slice(k + 8, k + 9), values.slice(k, k + 1))).toBe(true);
        expect(inBall(ball, values.slice(k + 9, k + 10), values.slice(k, k + 1))).toBe(false);
      }
    }
  });

  it('is false for NaN', () => {
    for (const norm of NORMS)
      expect(inBall({ norm, eps: 9, bounds: [0, 1] }, Float32Array.of(Number.NaN), Float32Array.of(0))).toBe(
        false,
      );
  });
});

describe('l1Threshold', () => {
  it('leaves exactly the radius, with weights or without', () => {
    const numbers = fc.double({ min: -5, max: 5, noNaN: true });
    const weights = fc.constantFrom(0, 0.5, 1, 3);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(numbers, weights), { minLength: 1, maxLength: 9 }),
        fc.double({ min: 0, max: 9, noNaN: true }),
        (pairs, radius) => {
          const d = pairs.map(([v]) => v);
          const w = pairs.map(([, weight]) => weight);
          const left = (theta: number) =>
            d.reduce((sum, v, i) => sum + w[i]! * Math.max(0, Math.abs(v) - theta * w[i]!), 0);
          const theta = l1Threshold(d, radius, w);
          expect(theta).toBeGreaterThanOrEqual(0);
          expect(left(theta)).toBeCloseTo(Math.min(radius, left(0)), 9);
          expect(l1Threshold(d, radius)).toBeCloseTo(
            l1Threshold(
              d,
              radius,
              d.map(() => 1),
            ),
            12,
          );
        },
      ),
    );
  });
});

describe('neighbours of float32 numbers', () => {
  it('have nothing between them', () => {
    fc.assert(
      fc.property(
        fc.float({ noNaN: true, noDefaultInfinity: true, min: -(2 ** 99), max: 2 ** 99 }),
        (drawn) => {
          const v = drawn + 0;
          const above = nextFloat32(v, Number.POSITIVE_INFINITY);
          expect(above).toBeGreaterThan(v);
          expect([v, above]).toContain(Math.fround((v + above) / 2));
          expect(nextFloat32(above, Number.NEGATIVE_INFINITY)).toBe(v);
          expect([ceilFloat32(v), floorFloat32(v)]).toEqual([v, v]);
          const between = v + (above - v) / 3;
          if (between > v && between < above)
            expect([floorFloat32(between), ceilFloat32(between)]).toEqual([v, above]);
        },
      ),
    );
    expect(nextFloat32(0, -1)).toBe(-(2 ** -149));
  });
});
