import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { adaptDataset, openDataset, writeNpz } from '../../data/index.ts';
import type { Ball } from '../norm.ts';
import { distance } from '../norm.ts';
import { inBall, intoBall } from './ball.ts';
import { checkClean } from './clean-samples.ts';
import { holdsContract, projected } from './contract.fixture.ts';
import { bytesOf, eightBit, eightBitValues } from './eight-bit.ts';

const RANGES = [
  [0, 1],
  [0, 255],
  [-1, 1],
  [-2.1179, 2.64],
  [0.1, 0.9],
] as const;

/** All 256 bytes as a model gets them. */
async function loaded(range: readonly [number, number], bytes: Uint8Array): Promise<Float32Array> {
  const path = join(mkdtempSync(join(tmpdir(), 'glacis-8-bit-')), 'x.npz');
  await writeNpz(path, { x: { data: bytes, shape: [1, bytes.length] } });
  const dataset = await openDataset(path);
  const data = await adaptDataset(
    dataset,
    { name: 'x', dims: [null, bytes.length], dtype: 'float32' },
    { range },
  );
  const { x } = await data.read(0, 1);
  await dataset.close();
  return x;
}

describe('the values of 8-bit data', () => {
  it.each(RANGES)('in %d to %d are what reading gives, and survive being saved', async (...range) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const x = await loaded(range, bytes);
    expect(eightBitValues(range)).toEqual(x);
    expect(bytesOf(x, range)).toEqual(bytes);
  });

  it('are refused in a range that cannot hold 256', () => {
    expect(() => eightBitValues([1, 1 + 1e-6])).toThrow(
      '8-bit: expected a range that holds 256 values, got 1 to 1.000001',
    );
    expect(() => eightBitValues([1, 1])).toThrow(/8-bit/);
    expect(() => eightBitValues([0, Number.NaN])).toThrow(/8-bit/);
  });
});

describe('eightBit', () => {
  const N = 30;
  it.each(RANGES)('in %d to %d holds what constraints promise', (...range) => {
    const values = eightBitValues(range);
    const unit = range[1] - range[0];
    const moved = holdsContract(
      {
        constraint: eightBit(range, N),
        clean(seed) {
          const rng = randomFrom(seed, 'clean');
          return Float32Array.from({ length: N }, () => values[rng.integer(256)]!);
        },
        bounds: [range[0], range[1]],
        eps: { linf: 0.05 * unit, l2: 0.2 * unit, l1: 0.6 * unit, l0: 8 },
      },
      100,
    );
    expect(moved).toBeGreaterThan(0.75);
  });

  it('gives a row that saving as bytes and reading again does not change', async () => {
    const range = [-2.1179, 2.64] as const;
    const values = eightBitValues(range);
    const rng = randomFrom(5, 'x');
    const clean = Float32Array.from({ length: N }, () => values[rng.integer(256)]!);
    const x = clean.map((v) => v + 0.3 * (rng.uniform() - 0.5));
    eightBit(range, N).project(x, 0, clean, 0, N, { norm: 'l2', eps: 0.5, bounds: range });
    expect(x).not.toEqual(clean);
    expect(await loaded(range, bytesOf(x, range))).toEqual(x);
  });

  const byLevels = (levels: readonly number[]) => levels.map((k) => Math.fround(k / 255));
  const ball = (norm: Ball['norm'], levels: number): Ball => ({ norm, eps: levels / 255, bounds: [0, 1] });

  it('rounds to the nearest level, and towards the clean value where that would leave the ball', () => {
    const constraint = eightBit([0, 1], 3);
    const clean = byLevels([100, 100, 100]);
    const wish = [107.4 / 255, 91.6 / 255, 107.8 / 255];
    expect(projected(constraint, wish, clean, ball('linf', 8))).toEqual(byLevels([107, 92, 108]));
    expect(projected(constraint, wish, clean, ball('linf', 7.7))).toEqual(byLevels([107, 93, 107]));
    expect(projected(constraint, wish, clean, ball('linf', 0.9))).toEqual(clean);
  });

  it.each(['l2', 'l1'] as const)('in %s takes back no more than needed', (norm) => {
    let short = 0;
    for (let seed = 0; seed < 40; seed++) {
      const rng = randomFrom(seed, norm);
      const clean = Float32Array.from({ length: 60 }, () => Math.fround((60 + rng.integer(100)) / 255));
      const x = clean.map((v) => v + (rng.uniform() - 0.5) / 10);
      const inside: Ball = { norm, eps: (norm === 'l2' ? 20 : 120) / 255, bounds: [0, 1] };
      const nearest = x.slice();
      intoBall(inside, nearest, clean);
      for (const [i, v] of nearest.entries()) nearest[i] = Math.round(v * 255) / 255;
      eightBit([0, 1], 60).project(x, 0, clean, 0, 60, inside);
      if (inBall(inside, nearest, clean)) {
        expect(x).toEqual(nearest);
        continue;
      }
      short++;
      // One more level would leave the ball; in L2 the largest changes here are 13 levels, (13² − 12²) / (2 · 20) of one.
      const size = distance(norm, x, clean, 0, 60);
      expect(size).toBeLessThanOrEqual(inside.eps * (1 + 1e-6));
      expect(size).toBeGreaterThan(inside.eps - 1.01 / 255);
    }
    expect(short).toBeGreaterThan(10);
  });

  it('refuses clean samples that are not 8-bit', () => {
    const constraint = eightBit([0, 1], 2);
    const good = Float32Array.from(byLevels([0, 255, 3, 7]));
    expect(() => checkClean(constraint, good, 2, (i) => i)).not.toThrow();
    const bad = Float32Array.of(0, 1, 0.5, 0.1);
    expect(() => checkClean(constraint, bad, 2, (i) => 10 + i)).toThrow(
      /constraint 8-bit: expected clean samples that satisfy it, got sample 11: 2 of 2 values are none of the 256/,
    );
  });

  it('gives the clean sample where no level is near enough, on a level or not', () => {
    const constraint = eightBit([0, 1], 1);
    expect(projected(constraint, [0.3], [0.5], ball('linf', 0.1))).toEqual([0.5]);
    expect(projected(constraint, [0.3], [0.5], ball('linf', 0.6))).toEqual(byLevels([127]));
  });
});
