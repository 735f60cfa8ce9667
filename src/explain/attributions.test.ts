import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AskGradients, attributionsOf, shownAttribution } from './attributions.ts';

/** Gradients of `Σ w_i x_i²`, times 1 + output. */
const W = [3, -2, 0.5];
const quadratic: AskGradients = async (points, output) =>
  points.map((value, i) => 2 * (1 + output) * W[i % 3]! * value);
const X = Float32Array.of(1, 2, -4);

describe('attributions', () => {
  it('are the gradient, or the gradient times the input', async () => {
    const of = (method: 'saliency' | 'gradient-input') =>
      attributionsOf(quadratic, X, 1, { method, baseline: 0 });
    expect(await of('saliency')).toEqual(Float32Array.of(12, -16, -8));
    expect(await of('gradient-input')).toEqual(Float32Array.of(12, -32, 32));
  });

  it('add up to the difference of the output from the baseline, where they are integrated', async () => {
    for (const baseline of [0, -1, 0.5]) {
      const given = await attributionsOf(quadratic, X, 0, { method: 'integrated', baseline });
      const value = (x: Iterable<number>) => [...x].reduce((sum, each, i) => sum + W[i]! * each * each, 0);
      const total = given.reduce((sum, each) => sum + each, 0);
      expect(total).toBeCloseTo(value(X) - value([baseline, baseline, baseline]), 4);
    }
  });
});

describe('an attribution as it is shown', () => {
  it('says shares of the largest element, and not how steep the model is', () => {
    expect(shownAttribution(Float32Array.of(2, -4, 1, 0), 2)).toEqual(Float32Array.of(0.5, -1, 0.25, 0));
    expect(shownAttribution(Float32Array.of(2e9, -4e9, 1e9, 0), 2)).toEqual(
      shownAttribution(Float32Array.of(2, -4, 1, 0), 2),
    );
    expect([...shownAttribution(Float32Array.of(-1e-9, 1), 2)].map((value) => Object.is(value, -0))).toEqual([
      false,
      false,
    ]);
  });

  it('is finite, at most 1, and keeps the order of size, whatever the gradient was', () => {
    const any = fc.oneof(fc.float(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 0));
    fc.assert(
      fc.property(
        fc.array(any, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 4 }),
        (raw, decimals) => {
          const values = Float32Array.from(raw);
          const shown = shownAttribution(values, decimals);
          expect(shown).toHaveLength(values.length);
          for (const [i, value] of shown.entries()) {
            expect(Math.abs(value)).toBeLessThanOrEqual(1);
            for (const [j, other] of shown.entries())
              if (values[i]! < values[j]!) expect(value).toBeLessThanOrEqual(other);
          }
        },
      ),
    );
  });
});
