import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holm } from './holm.ts';

const p = fc.double({ min: 0, max: 1, noNaN: true });

describe('holm', () => {
  it('gives the values worked out by hand, in the given order', () => {
    // Sorted: 0.01·4, 0.02·3, 0.03·2 (no less than the one before), 0.2·1.
    const expected = [0.06, 0.04, 0.2, 0.06];
    for (const [i, value] of holm([0.03, 0.01, 0.2, 0.02]).entries())
      expect(value).toBeCloseTo(expected[i]!, 12);
    expect(holm([])).toEqual([]);
    expect(holm([0.3])).toEqual([0.3]);
  });

  it('never lowers a value, keeps the order and is never stricter than Bonferroni', () => {
    fc.assert(
      fc.property(fc.array(p, { maxLength: 20 }), (values) => {
        const corrected = holm(values);
        for (const [i, value] of values.entries()) {
          expect(corrected[i]).toBeGreaterThanOrEqual(value);
          expect(corrected[i]).toBeLessThanOrEqual(Math.min(1, value * values.length) + 1e-12);
          for (const [j, other] of values.entries())
            if (value < other) expect(corrected[i]).toBeLessThanOrEqual(corrected[j]!);
        }
      }),
    );
  });
});
