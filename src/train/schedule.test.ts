import { describe, expect, it } from 'vitest';
import { constant, cosine, oneCycle, steps } from './schedule.ts';

describe('schedules', () => {
  it('cosine rises in a line, then falls along half a cosine towards 0', () => {
    const { rate } = cosine({ peak: 0.8, warmUp: 1 / 3 });
    expect([0, 1, 2, 3].map((s) => rate(s, 12))).toEqual([0.2, 0.4, 0.6000000000000001, 0.8]);
    expect(rate(4, 12)).toBeCloseTo(0.8);
    expect(rate(8, 12)).toBeCloseTo(0.4);
    expect(rate(11, 12)).toBeLessThan(0.04);
    expect(cosine({ peak: 1, warmUp: 0 }).rate(0, 1)).toBe(1);
  });

  it('constant stays after its rise', () => {
    const { rate } = constant({ peak: 0.1, warmUp: 0.5 });
    expect(rate(0, 4)).toBeCloseTo(0.05);
    expect([2, 3].map((s) => rate(s, 4))).toEqual([0.1, 0.1]);
  });

  it('steps falls where it is told to', () => {
    const { rate } = steps({ peak: 1, warmUp: 0, at: [0.5, 0.75], factor: 0.1 });
    expect([0, 49, 50, 74, 75, 99].map((s) => Number(rate(s, 100).toPrecision(12)))).toEqual([
      1, 1, 0.1, 0.1, 0.01, 0.01,
    ]);
  });

  it('one cycle goes up and down without a jump', () => {
    const { rate } = oneCycle({ peak: 2, warmUp: 0.25 });
    const rates = Array.from({ length: 200 }, (_, s) => rate(s, 200));
    expect(rates[0]).toBeCloseTo(2 / 25, 5);
    expect(Math.max(...rates)).toBeCloseTo(2, 5);
    expect(rates.indexOf(Math.max(...rates))).toBe(50);
    expect(rates[199]).toBeLessThan(2e-3);
    for (let i = 1; i < 200; i++) expect(Math.abs(rates[i]! - rates[i - 1]!)).toBeLessThan(0.08);
  });

  it.each([
    ['learningRate', () => cosine({ peak: Number.NaN })],
    ['warmUp', () => constant({ peak: 1, warmUp: 1 })],
    ['at', () => steps({ peak: 1, at: [2] })],
    ['factor', () => steps({ peak: 1, factor: 0 })],
  ])('refuse a wrong %s', (name, make) => {
    expect(make).toThrow(name);
  });
});
