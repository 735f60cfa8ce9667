import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Observations, Watched } from './detector.ts';
import { energy } from './energy.ts';
import { likeliest } from './likeliest.ts';
import { margin } from './margin.ts';

const watched: Watched = { sampleDims: [1], classes: 3, gives: 'logits' };
const seen = (...rows: readonly (readonly number[])[]): Observations => ({
  n: rows.length,
  x: new Float32Array(rows.length),
  scores: Float32Array.from(rows.flat()),
});
const of = (detector: typeof energy, rows: Observations, about = watched) =>
  detector.open(detector.fit(rows, about), about)(rows) as Float64Array;

describe('likeliest', () => {
  it('gives the first of the highest, never NaN where there is another', () => {
    const scores = Float32Array.of(1, 3, 3, Number.NaN, 0, -1, 2, Number.NaN, 5);
    expect([...likeliest(scores, 3, 3)]).toEqual([1, 1, 2]);
  });
});

describe('energy', () => {
  it('is minus the logarithm of the sum of exponentials, at any size', () => {
    expect(of(energy, seen([0, 0, 0]))[0]).toBeCloseTo(-Math.log(3), 12);
    expect(of(energy, seen([1000, 0, 0]))[0]).toBeCloseTo(-1000, 9);
    expect(of(energy, seen([-1000, -1000, -1000]))[0]).toBeCloseTo(1000 - Math.log(3), 9);
  });

  it('is not defined for probabilities', () => {
    expect(() => energy.fit(seen([0, 0, 1]), { ...watched, gives: 'probabilities' })).toThrow(
      /expected a model that gives logits/,
    );
    expect(() => energy.open({}, { ...watched, gives: 'probabilities' })).toThrow(
      /expected a model that gives logits/,
    );
  });
});

describe('margin', () => {
  it('is the second highest score less the highest', () => {
    expect([...of(margin, seen([1, 5, 2], [4, 4, 0], [-3, -2, -1]))]).toEqual([-3, 0, -1]);
  });

  it('takes the logarithm of probabilities', () => {
    const about = { ...watched, gives: 'probabilities' } as const;
    expect(of(margin, seen([0.1, 0.8, 0.1]), about)[0]).toBeCloseTo(-Math.log(8), 6);
    expect(of(margin, seen([0, 1, 0]), about)[0]).toBeCloseTo(-126 * Math.log(2), 6);
  });
});

describe.each([
  ['energy', energy],
  ['margin', margin],
] as const)('%s', (_, detector) => {
  it('gives a number or NaN for any scores, and NaN for scores that are none', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 3, maxLength: 3 }),
        (row) => {
          expect(of(detector, seen(row))[0]).not.toBeNaN();
        },
      ),
    );
    expect(of(detector, seen([Number.NaN, Number.NaN, Number.NaN]))[0]).toBeNaN();
  });
});
