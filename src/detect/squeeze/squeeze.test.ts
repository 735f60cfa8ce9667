import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import type { Watched } from '../detector.ts';
import { squeezing } from './disagreement.ts';
import { bitDepthSqueezer, medianSqueezer } from './squeezers.ts';

describe('bitDepthSqueezer', () => {
  it('gives the nearest of the levels of the range, and touches nothing else', () => {
    const to = new Float32Array(7).fill(9);
    bitDepthSqueezer(2, 5, [-1, 1])(Float32Array.of(7, -1, -0.6, 0, 0.9, 1), 1, to, 1);
    expect([...to].map((v) => Number(v.toFixed(4)))).toEqual([9, -1, -0.3333, 0.3333, 1, 1, 9]);
  });
});

describe('medianSqueezer', () => {
  const rng = randomFrom(2, 'median');

  it.each([
    ['chw', { channels: 2, height: 5, width: 4, layout: 'chw' }],
    ['hwc', { channels: 3, height: 4, width: 5, layout: 'hwc' }],
  ] as const)('is the fifth of nine sorted neighbours, edges repeated (%s)', (_, image) => {
    const { channels, height, width, layout } = image;
    const size = channels * height * width;
    const x = Float32Array.from({ length: size }, () => rng.uniform());
    const at = (c: number, y: number, i: number) => {
      const [row, column] = [Math.min(height - 1, Math.max(0, y)), Math.min(width - 1, Math.max(0, i))];
      return layout === 'chw' ? (c * height + row) * width + column : (row * width + column) * channels + c;
    };
    const to = new Float32Array(size);
    medianSqueezer(image)(x, 0, to, 0);
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < height; y++)
        for (let i = 0; i < width; i++) {
          const window = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => x[at(c, y + dy, i + dx)]!));
          expect(to[at(c, y, i)]).toBe(window.sort((a, b) => a - b)[4]);
        }
  });
});

describe('feature squeezing', () => {
  /** Class 1 where the brightest pixel is above 0.6: one pixel decides, which a median takes away. */
  const ask = async (x: Float32Array, n: number) =>
    Float32Array.from({ length: 2 * n }, (_, i) => {
      const most = Math.max(...x.subarray(Math.floor(i / 2) * 25, (Math.floor(i / 2) + 1) * 25));
      return (i % 2 === 1) === most > 0.6 ? 20 : 0;
    });
  const watched: Watched = { sampleDims: [1, 5, 5], classes: 2, gives: 'logits', range: [0, 1], ask };
  const dark = new Float32Array(25).fill(0.2);
  const spot = dark.slice();
  spot[12] = 0.9;
  const score = async (about: Watched, ...rows: Float32Array[]) => {
    const x = Float32Array.from(rows.flatMap((row) => [...row]));
    const scores = await ask(x, rows.length);
    return squeezing.open(
      squeezing.fit({ n: rows.length, x, scores }, about),
      about,
    )({ n: rows.length, x, scores });
  };

  it('is the largest distance between the answers to a picture and to its simpler copies', async () => {
    const [calm, strange] = await score(watched, dark, spot);
    expect(calm).toBeCloseTo(0, 6);
    expect(strange).toBeCloseTo(2, 6);
  });

  it('is NaN where an answer is', async () => {
    const broken = {
      ...watched,
      ask: async (_: Float32Array, n: number) => new Float32Array(2 * n).fill(Number.NaN),
    };
    expect((await score(broken, dark))[0]).toBeNaN();
  });

  it('keeps one bit of what is black and white, four of other pictures', () => {
    const about = (x: Float32Array) => squeezing.fit({ n: 1, x, scores: new Float32Array(2) }, watched);
    expect(about(dark.map((_, i) => i % 2))).toEqual({ bits: 1 });
    expect(about(dark)).toEqual({ bits: 4 });
  });

  it('needs pictures, a range of values, and a model that can be asked', async () => {
    await expect(score({ ...watched, sampleDims: [25] }, dark)).rejects.toThrow(/expected pictures/);
    await expect(score({ ...watched, range: undefined }, dark)).rejects.toThrow(/known range/);
    await expect(score({ ...watched, ask: undefined }, dark)).rejects.toThrow(/can be asked/);
  });
});
