import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { philox4x32, type Rng, randomFrom } from './random.ts';

const hex = (words: readonly number[]) => words.map((w) => w.toString(16).padStart(8, '0')).join(' ');
const first = (rng: Rng, n = 8) => Array.from({ length: n }, () => rng.uniform());

describe('philox4x32', () => {
  // Random123 1.14, tests/kat_vectors, "philox4x32 10".
  it.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      '408f276d 41c83b0e a20bc7c6 6d5451fd',
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ] as const)('gives the known answer for counter %j', (counter, key, answer) => {
    expect(hex(philox4x32([...counter], [...key]))).toBe(answer);
  });
});

describe('randomFrom', () => {
  it('reads the first block of the key that the seed is', () => {
    const block = philox4x32([0, 0, 0, 0], [7, 0]);
    expect(first(randomFrom(7), 4)).toEqual(block.map((w) => w / 2 ** 32));
  });

  it('goes on with the next block when one is used up', () => {
    const rng = randomFrom(7);
    first(rng, 4);
    expect(first(rng, 4)).toEqual(philox4x32([1, 0, 0, 0], [7, 0]).map((w) => w / 2 ** 32));
  });

  it('uses all 53 bits of a seed and its sign', () => {
    const seeds = [0, 1, -1, 2 ** 32, 2 ** 32 + 1, 2 ** 52, 2 ** 53 - 1, -(2 ** 53 - 1), -(2 ** 32)];
    expect(new Set(seeds.map((s) => randomFrom(s).uniform())).size).toBe(seeds.length);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 0.5, 2 ** 53])('refuses the seed %d', (seed) => {
    expect(() => randomFrom(seed)).toThrow(/seed: expected a whole number/);
  });

  it('tells keys apart by value, type, order and grouping', () => {
    const streams = [
      randomFrom(1),
      randomFrom(1, 'pgd'),
      randomFrom(1, 'pgd', 3),
      randomFrom(1, 3, 'pgd'),
      randomFrom(1, '3'),
      randomFrom(1, 3),
      randomFrom(1, 'pgd3'),
      randomFrom(1, ''),
      randomFrom(1, '#3'),
      randomFrom(1, 'pgd', ''),
      randomFrom(1, 'Ā'),
      randomFrom(1, '\u0001\u0000'),
    ];
    expect(new Set(streams.map((s) => s.uniform())).size).toBe(streams.length);
  });

  it('has no equal streams among many samples and restarts', () => {
    const seen = new Set<string>();
    for (let sample = 0; sample < 500; sample++)
      for (let restart = 0; restart < 4; restart++)
        seen.add(first(randomFrom(0, 'pgd', sample, restart), 2).join());
    expect(seen.size).toBe(2000);
  });
});

describe('fork', () => {
  it('is the stream that the same keys give from the root, with every bit of the parent kept', () => {
    for (let i = 0; i < 50; i++)
      expect(first(randomFrom(5, 'a', i).fork('b', 2))).toEqual(first(randomFrom(5, 'a', i, 'b', 2)));
  });

  it('does not depend on what was drawn before, and draws nothing itself', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.string(), fc.nat(9), (seed, key, drawn) => {
        const used = randomFrom(seed, 'x');
        first(used, drawn);
        const child = used.fork(key);
        const untouched = randomFrom(seed, 'x');
        first(untouched, drawn);
        expect(first(child)).toEqual(first(randomFrom(seed, 'x').fork(key)));
        expect(first(used)).toEqual(first(untouched));
      }),
      { numRuns: 50 },
    );
  });
});

describe('draws', () => {
  it('of uniform lie in [0, 1) with mean 1/2 and variance 1/12', () => {
    const draws = first(randomFrom(2, 'uniform'), 20_000);
    expect(draws.every((u) => u >= 0 && u < 1)).toBe(true);
    const mean = draws.reduce((s, u) => s + u, 0) / draws.length;
    const variance = draws.reduce((s, u) => s + (u - mean) ** 2, 0) / draws.length;
    // Five standard errors.
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / draws.length));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.003);
  });

  it('of normal have the moments and the tails of the standard normal, and are finite', () => {
    const rng = randomFrom(2, 'normal');
    const draws = Array.from({ length: 20_000 }, () => rng.normal());
    const moment = (p: number) => draws.reduce((s, z) => s + z ** p, 0) / draws.length;
    expect(draws.every(Number.isFinite)).toBe(true);
    expect(Math.abs(moment(1))).toBeLessThan(0.036);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.05);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.35);
    const beyond = draws.filter((z) => Math.abs(z) > 1.959964).length / draws.length;
    expect(Math.abs(beyond - 0.05)).toBeLessThan(0.0078);
  });

  it('of integer cover exactly [0, n) evenly', () => {
    const rng = randomFrom(2, 'integer');
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 12_000; i++) counts[rng.integer(6)]!++;
    // χ² with 5 degrees of freedom: 25.7 is the 0.9999 quantile.
    expect(counts.reduce((s, c) => s + (c - 2000) ** 2 / 2000, 0)).toBeLessThan(25.7);
    expect(rng.integer(1)).toBe(0);
    expect(rng.integer(2 ** 32)).toBeLessThan(2 ** 32);
  });

  it.each([0, -1, 1.5, 2 ** 32 + 1, Number.NaN, Number.POSITIVE_INFINITY])(
    'of integer refuse the bound %d, which would never end or mean nothing',
    (n) => {
      expect(() => randomFrom(1).integer(n)).toThrow(RangeError);
    },
  );
});
