import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Rng, randomFrom } from '../../core/random.ts';
import { binned } from './bins.ts';
import { guessing } from './guessing.ts';
import { judge } from './judge.ts';
import type { Measured } from './measure.ts';
import { mutualInformation } from './mutual-information.ts';
import { signedRank } from './signed-rank.ts';
import { leakTests, strongest } from './welch.ts';

const rng = randomFrom(3, 'timing statistics');
/** Times as a busy server gives them: a log-normal bulk and a heavy tail. */
const times = (n: number, draw: Rng, bulk: (i: number) => number = () => 0) =>
  Float64Array.from(
    { length: n },
    (_, i) =>
      1 + bulk(i) + 0.1 * Math.exp(0.4 * draw.normal()) + (draw.uniform() < 0.02 ? 20 * draw.uniform() : 0),
  );
const measured = (a: Float64Array, b: Float64Array, over: Partial<Measured> = {}): Measured => {
  const all = (value: number) => ({ a: a.map(() => value), b: b.map(() => value) });
  return {
    times: { a, b },
    lengths: all(100),
    statuses: all(200),
    counts: { 200: 2 * a.length },
    failures: 0,
    ...over,
  };
};

describe('Welch tests', () => {
  it("give Welch's t", () => {
    // Means 2 and 5, variances 1 and 4 with n = 3 each: t = 3 / √(1/3 + 4/3)
    const [raw] = leakTests(Float64Array.of(1, 2, 3), Float64Array.of(3, 5, 7));
    expect(raw!.t).toBeCloseTo(3 / Math.sqrt(5 / 3), 12);
    expect(raw!.tau).toBeCloseTo(raw!.t / Math.sqrt(6), 12);
  });

  it('see by cropping what the tail hides in the raw times', () => {
    const draw = rng.fork('tail');
    const tests = leakTests(
      times(4000, draw),
      times(4000, draw, () => 0.02),
    );
    expect(Math.abs(tests[0]!.t)).toBeLessThan(4.5);
    expect(Math.abs(strongest(tests).t)).toBeGreaterThan(10);
    expect(strongest(tests).of).toContain('cropped');
  });

  it('see a difference in spread alone', () => {
    const draw = rng.fork('spread');
    const narrow = Float64Array.from({ length: 3000 }, () => 5 + 0.1 * draw.normal());
    const wide = Float64Array.from({ length: 3000 }, () => 5 + 0.2 * draw.normal());
    const tests = leakTests(narrow, wide);
    expect(Math.abs(tests[0]!.t)).toBeLessThan(4.5);
    expect(Math.abs(tests.find(({ of }) => of === 'squares')!.t)).toBeGreaterThan(10);
  });

  it('of the same times are 0, of two constants that differ beyond any bound', () => {
    const one = new Float64Array(200).fill(1);
    expect(strongest(leakTests(one, one)).t).toBe(0);
    expect(
      strongest(
        leakTests(
          one,
          one.map(() => 2),
        ),
      ).t,
    ).toBeGreaterThan(1e6);
  });
});

describe('bins', () => {
  it('keep the order, and equal times together', () => {
    const time = fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(time, fc.integer({ min: 2, max: 16 }), (values, count) => {
        const a = Float64Array.from(values);
        const { a: bins, b, bins: total } = binned({ a, b: a }, count);
        expect(bins).toEqual(b);
        for (let i = 0; i < a.length; i++) {
          expect(bins[i]).toBeLessThan(total);
          for (let j = 0; j < a.length; j++) {
            if (a[i] === a[j]) expect(bins[i]).toBe(bins[j]);
            if (a[i]! < a[j]!) expect(bins[i]).toBeLessThanOrEqual(bins[j]!);
          }
        }
      }),
    );
  });
});

describe('mutual information', () => {
  const options = () => ({ permutations: 499, rng: rng.fork('permutations') });

  it('is a bit where the bin is the class, and its p as small as the permutations allow', () => {
    const n = 500;
    const { bits, p } = mutualInformation(new Uint16Array(n), new Uint16Array(n).fill(1), 2, options());
    expect(bits).toBeGreaterThan(0.99);
    expect(p).toBe(1 / 500);
  });

  it('is about 0 without a difference, whatever the number of bins', () => {
    const draw = rng.fork('noise');
    const { bits, chance, p } = mutualInformation(
      Uint16Array.from({ length: 500 }, () => draw.integer(32)),
      Uint16Array.from({ length: 500 }, () => draw.integer(32)),
      32,
      options(),
    );
    expect(chance).toBeGreaterThan(0.01);
    expect(bits).toBeLessThan(0.01);
    expect(p).toBeGreaterThan(0.01);
  });

  it('keeps a drift that meets both classes', () => {
    // Bins drift over time, alike in both: no information.
    const drift = Uint16Array.from({ length: 1000 }, (_, i) => Math.floor(i / 50));
    expect(mutualInformation(drift, drift, 20, options()).p).toBe(1);
  });
});

describe('guessing', () => {
  it('is chance on noise, with an interval that covers a half', () => {
    let covered = 0;
    for (let trial = 0; trial < 60; trial++) {
      const draw = rng.fork('guess', trial);
      const bins = () => Uint16Array.from({ length: 600 }, () => draw.integer(12));
      const { interval, accuracy } = guessing(bins(), bins(), 12);
      if (interval[0] <= 0.5 && interval[1] >= 0.5) covered++;
      expect(Math.abs(accuracy - 0.5)).toBeLessThan(0.12);
    }
    // 95 % in truth; 50 of 60 would be four standard deviations below.
    expect(covered).toBeGreaterThan(50);
  });

  it('sees a leak that makes a class neither slower nor faster', () => {
    const n = 2000;
    const middle = new Uint16Array(n).fill(1);
    const edges = Uint16Array.from({ length: n }, (_, i) => (i % 3 === 0 ? 1 : i % 4 < 2 ? 0 : 2));
    const { auc, accuracy } = guessing(middle, edges, 3);
    expect(auc).toBeGreaterThan(0.8);
    expect(accuracy).toBeCloseTo(5 / 6, 2);
  });
});

describe('signed ranks', () => {
  it('give the textbook statistic', () => {
    // Differences 1, 2, 3, −4, 5, 6: positive ranks add up to 17; mean 10.5, variance 22.75
    const b = Float64Array.of(1, 2, 3, -4, 5, 6);
    const { z, median } = signedRank({ a: new Float64Array(6), b });
    expect(z).toBeCloseTo((17 - 10.5) / Math.sqrt(22.75), 12);
    expect(median).toBe(2.5);
  });

  it('give ties their mean rank', () => {
    const { z } = signedRank({ a: new Float64Array(4), b: Float64Array.of(1, 1, -1, 2) });
    // Ranks 2, 2, 2, 4: positive 8; mean 5, variance 7.5 − (27 − 3)/48
    expect(z).toBeCloseTo(3 / Math.sqrt(7), 12);
  });

  it('are none without a difference', () => {
    expect(signedRank({ a: new Float64Array(9), b: new Float64Array(9) })).toEqual({ z: 0, p: 1, median: 0 });
  });
});

describe('the verdict', () => {
  it('is a leak for a planted one of 20 µs in 100 µs of noise', () => {
    const draw = rng.fork('planted');
    const analysis = judge(
      measured(
        times(3000, draw),
        times(3000, draw, () => 0.02),
      ),
      rng.fork('judge'),
    );
    expect(analysis.verdict).toBe('leak');
    expect(analysis.guessing.auc).toBeGreaterThan(0.55);
    expect(analysis.information.p).toBeLessThan(0.001);
    expect(analysis.needed).toBeLessThan(3000);
  });

  it('says nothing was seen only after enough pairs', () => {
    const draw = rng.fork('silent');
    const few = judge(measured(times(2000, draw), times(2000, draw)), rng.fork('judge'));
    expect(few.verdict).toBe('too few');
    const many = judge(measured(times(10_000, draw), times(10_000, draw)), rng.fork('judge'));
    expect(many).toMatchObject({ verdict: 'none seen', because: [] });
  });

  it('seldom sees a leak where there is none', () => {
    let leaks = 0;
    for (let trial = 0; trial < 30; trial++) {
      const draw = rng.fork('null', trial);
      const a = times(600, draw);
      if (judge(measured(a, times(600, draw)), draw).verdict === 'leak') leaks++;
    }
    expect(leaks).toBeLessThanOrEqual(1);
  });

  it('counts lengths and statuses that tell the classes apart, at the same time', () => {
    const draw = rng.fork('lengths');
    const a = times(400, draw);
    const lengths = { a: a.map(() => 100), b: a.map((_, i) => (i % 4 === 0 ? 101 : 100)) };
    const analysis = judge(measured(a, times(400, draw), { lengths }), rng.fork('judge'));
    expect(analysis.verdict).toBe('leak');
    expect(analysis.because.join()).toContain('lengths');
    const statuses = { a: a.map(() => 200), b: a.map(() => 404) };
    expect(judge(measured(a, times(400, draw), { statuses }), rng.fork('judge')).statuses.bits).toBeCloseTo(
      1,
      1,
    );
  });
});
