import fc from 'fast-check';
import { expect, it } from 'vitest';
import { significantBits } from './significant-bits.ts';

const float = fc.float({
  noNaN: true,
  noDefaultInfinity: true,
  min: Math.fround(-1e38),
  max: Math.fround(1e38),
});

it('is off by half a unit of the last digit at most', () => {
  fc.assert(
    fc.property(fc.array(float, { minLength: 1 }), fc.integer({ min: 1, max: 6 }), (values, digits) => {
      const given = Float32Array.from(values).filter((value) => Math.abs(value) > 1e-30);
      significantBits(given, digits).forEach((value, i) => {
        expect(Math.abs(value - given[i]!)).toBeLessThanOrEqual(Math.abs(given[i]!) * 0.5 * 10 ** -digits);
      });
    }),
  );
});

it('changes nothing twice, and not what it was given', () => {
  fc.assert(
    fc.property(fc.array(float), fc.integer({ min: 1, max: 6 }), (values, digits) => {
      const given = Float32Array.from(values);
      const once = significantBits(given, digits);
      expect(significantBits(once, digits)).toEqual(once);
      expect(given).toEqual(Float32Array.from(values));
    }),
  );
});

it('leaves NaN and infinities, and makes none', () => {
  const { POSITIVE_INFINITY, NEGATIVE_INFINITY, NaN: nan } = Number;
  const largest = 3.4028234663852886e38;
  const [a, b, c, d] = significantBits(
    Float32Array.of(POSITIVE_INFINITY, NEGATIVE_INFINITY, nan, largest),
    2,
  );
  expect([a, b, c]).toEqual([POSITIVE_INFINITY, NEGATIVE_INFINITY, nan]);
  expect(d).toBeGreaterThan(3.3e38);
  expect(d).toBeLessThan(POSITIVE_INFINITY);
});
