import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import type { OutputGuard, Scores } from '../output-guard.ts';
import { labelOnly } from './label-only.ts';
import { farthest, poisoning } from './poisoning.ts';
import { OUTPUT_GUARDS } from './registry.ts';
import { reverseSigmoid } from './reverse-sigmoid.ts';
import { rounding } from './rounding.ts';
import { arbitraryScores, classesOf, settingFixture, shapingFixture } from './scores.fixture.ts';
import { temperature } from './temperature.ts';
import { topK } from './top-k.ts';

const setting = (classes: number) => settingFixture(classes);
/** Every guard in the forms in which it is used; the watermark has a test of its own, because it changes the class. */
const FORMS: readonly (readonly [string, (classes: number) => OutputGuard])[] = [
  ['label-only', (k) => labelOnly.make({}, setting(k))],
  ['poisoning', (k) => poisoning.make({ eps: 0.5 }, setting(k))],
  ['poisoning, eps 2', (k) => poisoning.make({ eps: 2 }, setting(k))],
  ['reverse-sigmoid', (k) => reverseSigmoid.make({ beta: 1, gamma: 0.1 }, setting(k))],
  ['reverse-sigmoid, strong', (k) => reverseSigmoid.make({ beta: 1, gamma: 5 }, setting(k))],
  ['rounding to 1 decimal', (k) => rounding.make({ decimals: 1 }, setting(k))],
  ['rounding to 4 decimals', (k) => rounding.make({ decimals: 4 }, setting(k))],
  ['rounding to 1 digit', (k) => rounding.make({ significant: 1 }, setting(k))],
  ['temperature 10', (k) => temperature.make({ t: 10 }, setting(k))],
  ['temperature 0.05', (k) => temperature.make({ t: 0.05 }, setting(k))],
  ['top-k', (k) => topK.make({ k: 2 }, setting(k))],
];
const sums = ({ values, n, classes }: Scores) =>
  Array.from({ length: n }, (_, row) =>
    values.subarray(row * classes, (row + 1) * classes).reduce((sum, value) => sum + value, 0),
  );
const row = (...values: readonly number[]): Scores => ({
  values: Float32Array.from(values),
  n: 1,
  classes: values.length,
  gives: 'probabilities',
});
const shape = (guard: OutputGuard, scores: Scores) => guard.shape(scores, shapingFixture(scores.n));

it('the forms tested cover every guard but the watermark', () => {
  const tested = new Set(FORMS.map(([name]) => name.split(/[ ,]/)[0]));
  expect([...tested, 'watermark'].sort()).toEqual(OUTPUT_GUARDS.map(({ name }) => name).sort());
});

describe.each(FORMS)('%s', (name, make) => {
  it.each(['probabilities', 'logits'] as const)('keeps the likeliest class of %s', (gives) => {
    fc.assert(
      fc.property(arbitraryScores(gives), (scores) => {
        expect(classesOf(shape(make(scores.classes), scores))).toEqual(classesOf(scores));
      }),
    );
  });

  it('gives numbers, at least 0 of probabilities, and leaves what it was given as it was', () => {
    fc.assert(
      fc.property(arbitraryScores('probabilities'), (scores) => {
        const before = scores.values.slice();
        const { values } = shape(make(scores.classes), scores);
        expect(
          values.every((value) => value >= 0 && value <= 1.0000002 + (name.includes('digit') ? 1 : 0)),
        ).toBe(true);
        expect(scores.values).toEqual(before);
      }),
    );
  });

  if (!/digit|top-k/.test(name))
    it('gives rows that add up to 1', () => {
      fc.assert(
        fc.property(arbitraryScores('probabilities'), (scores) => {
          for (const sum of sums(shape(make(scores.classes), scores))) expect(sum).toBeCloseTo(1, 5);
        }),
      );
    });

  it('gives a sample the same answer alone and in a batch, and each time it is asked', () => {
    fc.assert(
      fc.property(arbitraryScores('probabilities'), (scores) => {
        const { n, classes } = scores;
        const guard = make(classes);
        const together = guard.shape(scores, shapingFixture(n));
        const last = shapingFixture(n);
        const inputs = last.inputs().slice(8 * (n - 1));
        const alone = guard.shape(
          { ...scores, n: 1, values: scores.values.slice((n - 1) * classes) },
          { ...last, inputs: () => inputs, inputDigests: () => last.inputDigests().slice(n - 1) },
        );
        expect(alone.values).toEqual(together.values.slice((n - 1) * classes));
        expect(guard.shape(scores, shapingFixture(n)).values).toEqual(together.values);
      }),
    );
  });

  if (/label|rounding|top-k/.test(name))
    it('changes nothing that it has already shaped', () => {
      fc.assert(
        fc.property(arbitraryScores(name.includes('top-k') ? 'logits' : 'probabilities'), (scores) => {
          const guard = make(scores.classes);
          const once = shape(guard, scores);
          expect(shape(guard, once).values).toEqual(once.values);
        }),
      );
    });
});

describe('rounding', () => {
  const to = (decimals: number, ...values: readonly number[]) =>
    [...shape(rounding.make({ decimals }, setting(values.length)), row(...values)).values].map(
      (value) => Math.round(value * 10 ** decimals) / 10 ** decimals,
    );

  it('hands out units by largest remainders', () => {
    expect(to(1, 0.58, 0.26, 0.16)).toEqual([0.6, 0.3, 0.1]);
    expect(to(2, 0.333, 0.334, 0.333)).toEqual([0.33, 0.34, 0.33]);
  });

  it('keeps the likeliest ahead where both halves round to the same', () => {
    expect(to(1, 0.49, 0.51)).toEqual([0.4, 0.6]);
  });

  it('is off by two units of the last decimal at most', () => {
    fc.assert(
      fc.property(arbitraryScores('probabilities'), fc.integer({ min: 1, max: 5 }), (scores, decimals) => {
        const { values } = shape(rounding.make({ decimals }, setting(scores.classes)), scores);
        values.forEach((value, i) => {
          expect(Math.abs(value - scores.values[i]!)).toBeLessThan(2.01 * 10 ** -decimals);
        });
      }),
    );
  });

  it('writes no more decimals than asked', () => {
    fc.assert(
      fc.property(arbitraryScores('logits'), fc.integer({ min: 1, max: 4 }), (scores, decimals) => {
        for (const value of shape(rounding.make({ decimals }, setting(scores.classes)), scores).values)
          expect(Math.abs(value * 10 ** decimals - Math.round(value * 10 ** decimals))).toBeLessThan(0.05);
      }),
    );
  });

  it('rounds rows of several labels at once value by value', () => {
    expect(to(1, 0.91, 0.88, 0.04)).toEqual([0.9, 0.9, 0]);
  });

  it('keeps significant digits of small scores', () => {
    const { values } = shape(rounding.make({ significant: 2 }, setting(3)), row(0.987654, 0.0123, 0.0000456));
    expect([...values].map((value) => Number(value.toPrecision(6)))).toEqual([0.99, 0.012, 0.000046]);
  });
});

describe('top-k', () => {
  it('leaves the likeliest, the first of equals', () => {
    const { values } = shape(topK.make({ k: 2 }, setting(4)), row(0.1, 0.3, 0.3, 0.3));
    expect([...values]).toEqual([0, Math.fround(0.3), Math.fround(0.3), 0]);
  });

  it('tells of other logits nothing but that they are lower', () => {
    const guard = topK.make({ k: 2 }, setting(4));
    const logits = (a: number, b: number): Scores => ({ ...row(a, 5, 4, b), gives: 'logits' });
    expect(shape(guard, logits(1, 2)).values).toEqual(shape(guard, logits(-9, 3.5)).values);
  });
});

describe('reverse sigmoid', () => {
  it('gives the values of the formula', () => {
    // β = 1, γ = 0.1: y − (σ(0.1 ln(y / (1 − y))) − ½), then divided by the sum
    const bent = [0.7, 0.2, 0.1].map((y) => y - (1 / (1 + Math.exp(-0.1 * Math.log(y / (1 - y)))) - 0.5));
    const sum = bent.reduce((a, b) => a + b, 0);
    const { values } = shape(reverseSigmoid.make({ beta: 1, gamma: 0.1 }, setting(3)), row(0.7, 0.2, 0.1));
    values.forEach((value, k) => {
      expect(value).toBeCloseTo(bent[k]! / sum, 6);
    });
  });
});

describe('poisoning', () => {
  const cosine = (u: readonly number[], v: readonly number[]) => {
    const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, k) => sum + x * b[k]!, 0);
    return dot(u, v) / Math.sqrt(dot(u, u) * dot(v, v));
  };
  const angle = (y: readonly number[], p: readonly number[], corner: readonly number[]) =>
    cosine(
      y.map((value, k) => p[k]! - value),
      corner.map((value, k) => p[k]! - value),
    );
  const rowOf = (classes: number) =>
    fc
      .array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: classes, maxLength: classes })
      .map((raw) => {
        const sum = raw.reduce((a, b) => a + b, 0);
        return raw.map((value) => value / sum);
      });

  /** The row at the end of the walk towards a corner. */
  const walk = (y: readonly number[], corner: readonly number[], eps: number) => {
    const distance = y.reduce((sum, value, k) => sum + Math.abs(corner[k]! - value), 0);
    const alpha = Math.min(1, eps / distance);
    return y.map((value, k) => value + alpha * (corner[k]! - value));
  };
  /** The least cosine over all corners that keep the class, by trying each. */
  function leastBy(y: readonly number[], p: readonly number[], winner: number, eps: number): number {
    let least = 1;
    for (let set = 0; set < 2 ** y.length; set++) {
      if (((set >> winner) & 1) === 0) continue;
      const size = y.filter((_, k) => (set >> k) & 1).length;
      const corner = y.map((_, k) => ((set >> k) & 1) / size);
      const value = angle(y, p, walk(y, corner, eps));
      if (value < least) least = value;
    }
    return least;
  }
  const found = (y: readonly number[], p: readonly number[], winner: number, eps: number) => {
    const corner = farthest(y, p, winner, eps);
    if (corner === undefined) return 1;
    return angle(
      y,
      p,
      walk(
        y,
        [...corner.has].map((one) => one / corner.size),
        eps,
      ),
    );
  };

  it('finds the corner of the largest angle up to 10 classes', () => {
    fc.assert(
      fc.property(rowOf(6), rowOf(6), fc.double({ min: 0.1, max: 2, noNaN: true }), (y, p, eps) => {
        const winner = y.indexOf(Math.max(...y));
        // A surrogate that is all but the answer has no direction to turn: such rows stay as they are.
        fc.pre(Math.hypot(...y.map((value, k) => p[k]! - value)) > 1e-6);
        expect(found(y, p, winner, eps)).toBeCloseTo(leastBy(y, p, winner, eps), 7);
      }),
      { numRuns: 60 },
    );
  });

  it('leaves a row alone whose surrogate is the same', () => {
    const y = [0.9, 0.06, 0.04];
    expect(
      farthest(
        y,
        y.map((value) => value + 1e-11),
        0,
        0.5,
      ),
    ).toBeUndefined();
  });

  it('comes within 0.02 of the least cosine above 10 classes, on average over random surrogates', () => {
    const rng = randomFrom(5, 'poisoning');
    const drawn = (spread: number) => {
      const raw = Array.from({ length: 11 }, () => Math.exp(spread * rng.normal()));
      const sum = raw.reduce((a, b) => a + b, 0);
      return raw.map((value) => value / sum);
    };
    let short = 0;
    for (let i = 0; i < 30; i++) {
      const [y, p] = [drawn(2), drawn(0.5)];
      const winner = y.indexOf(Math.max(...y));
      short += (found(y, p, winner, 0.5) - leastBy(y, p, winner, 0.5)) / 30;
    }
    expect(short).toBeGreaterThanOrEqual(-1e-9);
    expect(short).toBeLessThan(0.02);
  });

  it('moves a row by eps at most, and turns the gradient by more than noise of that size would', () => {
    const scores = row(0.8, 0.1, 0.06, 0.04);
    const { values } = shape(poisoning.make({ eps: 0.5 }, setting(4)), scores);
    const moved = [...values].reduce((sum, value, k) => sum + Math.abs(value - scores.values[k]!), 0);
    expect(moved).toBeCloseTo(0.5, 5);
    const even = [0.25, 0.25, 0.25, 0.25];
    expect(angle([...scores.values], even, [...values])).toBeLessThan(0.95);
  });

  it('answers another key, and another input, otherwise', () => {
    const scores = row(0.5, 0.2, 0.1, 0.1, 0.05, 0.05);
    const answers = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((key) =>
      [0, 50].map((first) => {
        const guard = poisoning.make({ eps: 0.5 }, { ...setting(6), secret: new Uint8Array(32).fill(key) });
        return guard.shape(scores, shapingFixture(1, 'scores', first)).values.join();
      }),
    );
    expect(new Set(answers).size).toBeGreaterThan(3);
  });
});
