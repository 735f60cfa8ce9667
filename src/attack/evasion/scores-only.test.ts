import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { classificationGoal } from '../../threat/goal.ts';
import { type Ball, distance, type Norm } from '../../threat/norm.ts';
import type { Attack } from '../attack.ts';
import { attackFunction, type FunctionModel } from '../function-model.fixture.ts';
import { nes } from './nes.ts';
import { onePixel } from './one-pixel.ts';
import { simba } from './simba.ts';
import { spsa } from './spsa.ts';
import { zoo } from './zoo.ts';

const SIZE = 20;
const N = 4;
const rng = randomFrom(6, 'scores');
const W = Float64Array.from({ length: SIZE }, () => rng.normal());
const x0 = Float32Array.from({ length: N * SIZE }, () => 0.3 + 0.4 * rng.uniform());
const dot = (x: ArrayLike<number>, at = 0) => W.reduce((sum, w, i) => sum + w * x[at + i]!, 0);
const OFFSET = dot(x0) - 0.4;

const linear: FunctionModel = {
  sampleDims: [1, 4, 5],
  classes: 2,
  answer: (x) => [0, dot(x) - OFFSET],
};
const LABELS = Array.from({ length: N }, (_, s) => (dot(x0, s * SIZE) > OFFSET ? 1 : 0));
const goal = classificationGoal(LABELS, 2);
const GAPS = LABELS.map((_, s) => Math.abs(dot(x0, s * SIZE) - OFFSET));
/** A gap of the logit in a norm's dual. */
const DUAL: Readonly<Record<string, number>> = {
  l2: Math.hypot(...W),
  linf: W.reduce((sum, w) => sum + Math.abs(w), 0),
};

type Case = readonly [Attack<object>, Norm, Readonly<Record<string, unknown>>];
const BALLS = [
  [simba, 'l2', { basis: 'pixel', stepSize: 0.01 }],
  [simba, 'l2', { basis: 'dct', stepSize: 0.01 }],
  [simba, 'linf', { basis: 'pixel', stepSize: 0.01 }],
  [nes, 'linf', {}],
  [nes, 'l2', {}],
  [spsa, 'linf', {}],
  [spsa, 'l2', {}],
] as unknown as readonly Case[];
const ALL = [
  ...BALLS,
  [onePixel, 'l0', { population: 20 }],
  [zoo, 'l2', { steps: 100, parallel: 10 }],
] as unknown as readonly Case[];
const named = (rows: readonly Case[]) =>
  rows.map((row) => [row[0].id, row[1], JSON.stringify(row[2]), row] as const);

describe.each(named(BALLS))('%s in %s with %s', (_id, norm, _options, [attack, , options]) => {
  it('falls a little outside the least radius of a linear model, and not inside', async () => {
    for (const [s, gap] of GAPS.entries()) {
      const least = gap / DUAL[norm]!;
      for (const [share, expected] of [
        [0.97, false],
        [1.15, true],
      ] as const) {
        const { decided, x } = await attackFunction(
          attack,
          linear,
          goal,
          { norm, eps: share * least, bounds: [0, 1] },
          x0,
          { options: { ...options, queries: 6000 }, todo: [s] },
        );
        expect(decided.get(s)!.reached, `sample ${s} at ${share}`).toBe(expected);
        expect(distance(norm, x, x0, s * SIZE, SIZE)).toBeLessThanOrEqual(share * least * (1 + 1e-5) + 1e-6);
      }
    }
  });
});

describe.each(named(ALL))('%s in %s with %s', (_id, norm, _options, [attack, , options]) => {
  const ball: Ball = { norm, eps: norm === 'l0' ? 4 : norm === 'l2' ? 0.3 : 0.1, bounds: [0, 1] };

  it('keeps its budget for every sample', async () => {
    for (const queries of [1, 30, 200]) {
      const { decided } = await attackFunction(attack, linear, goal, ball, x0, {
        options: { ...options, queries },
      });
      for (const { asked } of decided.values()) expect(asked).toBeLessThanOrEqual(queries);
    }
  });

  it('asks no more of a sample once it has fallen in the ball', async () => {
    if (attack.seeks === 'minimum') return;
    const easy = await attackFunction(attack, linear, goal, { ...ball, eps: SIZE }, x0, { options });
    expect([...easy.decided.values()].every(({ reached }) => reached)).toBe(true);
    for (const { asked } of easy.decided.values()) expect(asked).toBeLessThan(2000);
  });

  it('works where bounds are open, or says that it cannot', async () => {
    const open = {
      ...ball,
      eps: norm === 'l0' ? 4 : 2,
      bounds: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
    } as const;
    const run = attackFunction(attack, linear, goal, open, x0, { options: { ...options, queries: 9000 } });
    if (attack === (onePixel as unknown)) return expect(run).rejects.toThrow(/expected two finite numbers/);
    const { decided } = await run;
    expect([...decided.values()].every(({ reached }) => reached)).toBe(true);
  });

  it('ends where all scores are equal, within its budget', async () => {
    const flat: FunctionModel = { ...linear, answer: () => [0.5, 0.5] };
    const { decided } = await attackFunction(attack, flat, classificationGoal([0, 0, 0, 0], 2), ball, x0, {
      options: { ...options, queries: 1000 },
    });
    for (const { reached, asked } of decided.values()) {
      expect(reached).toBe(false);
      expect(asked).toBeLessThanOrEqual(1000);
    }
  });
});

describe('plateaus', () => {
  /** Scores in steps of 0.05 of the logit: a change of 0.001 is mostly invisible. */
  const rounded: FunctionModel = {
    ...linear,
    answer: (x) => [0, Math.round(20 * (dot(x) - OFFSET)) / 20 - 1e-3],
  };
  it.each([
    ['nes', nes],
    ['spsa', spsa],
  ] as unknown as [string, Attack<object>][])(
    'are looked over by the wider differences of %s',
    async (_id, attack) => {
      const eps = (1.5 * Math.max(...GAPS)) / DUAL.linf!;
      const { decided } = await attackFunction(
        attack,
        rounded,
        goal,
        { norm: 'linf', eps, bounds: [0, 1] },
        x0,
        { options: { queries: 6000 } },
      );
      expect([...decided.values()].every(({ reached }) => reached)).toBe(true);
    },
  );
});

describe('zoo', () => {
  it('comes near the least distance on a linear model', async () => {
    const { x, decided } = await attackFunction(
      zoo,
      linear,
      goal,
      { norm: 'l2', eps: 1, bounds: [0, 1] },
      x0,
      { options: { parallel: SIZE, binarySearchSteps: 6, abortEarly: false } },
    );
    for (const [s, gap] of GAPS.entries()) {
      expect(decided.get(s)!.reached).toBe(true);
      const far = distance('l2', x, x0, s * SIZE, SIZE) / (gap / DUAL.l2!);
      expect(far).toBeGreaterThan(1 - 1e-4);
      expect(far).toBeLessThan(1.05);
    }
  });
});

describe('one-pixel', () => {
  const colour: FunctionModel = {
    sampleDims: [3, 4, 5],
    classes: 2,
    // The second pixel of the third row decides, if it is bright in red and dark in green.
    answer: (x) => [0, x[11]! - x[20 + 11]! - 0.8],
  };
  const grey = new Float32Array(60).fill(0.5);
  const run = (eps: number, options = {}, bounds: readonly [number, number] = [0, 1]) =>
    attackFunction(onePixel, colour, classificationGoal([0], 2), { norm: 'l0', eps, bounds }, grey, {
      options: { population: 100, ...options },
    });

  it('finds the pixel, and changes no other', async () => {
    const { x, decided } = await run(3);
    expect(decided.get(0)!.reached).toBe(true);
    expect(distance('l0', x, grey, 0, 60)).toBeLessThanOrEqual(3);
    for (let i = 0; i < 60; i++) if (i % 20 !== 11) expect(x[i]).toBe(0.5);
  });

  it('takes three of eps for a pixel in colour, and says so', async () => {
    await expect(run(2)).rejects.toThrow(
      /one-pixel: expected eps of at least 3 \(pixels × channels = 1 × 3\), got 2/,
    );
    await expect(run(5, { pixels: 2 })).rejects.toThrow(/at least 6 \(pixels × channels = 2 × 3\), got 5/);
    const { x } = await run(8, { pixels: 1, queries: 100 });
    expect(distance('l0', x, grey, 0, 60)).toBeLessThanOrEqual(3);
  });

  it('asks a generation at once', async () => {
    const { requests } = await attackFunction(
      onePixel,
      colour,
      classificationGoal([0], 2),
      { norm: 'l0', eps: 3, bounds: [0, 0.6] },
      grey,
      { batch: 50, options: { population: 50, steps: 2 } },
    );
    expect(requests).toEqual([50, 50, 50]);
  });
});
