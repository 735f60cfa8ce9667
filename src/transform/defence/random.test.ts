import { describe, expect, it } from 'vitest';
import { farthest, randomPictures, throughDefences } from './picture-model.fixture.ts';

describe('noise', () => {
  const dims = [4, 3, 32, 32];

  it('has the mean and the deviation that are asked for', async () => {
    const data = randomPictures(dims);
    const got = await throughDefences('noise(sigma=0.25, seed=1)', dims, data);
    const noise = got.map((v, i) => v - data[i]!);
    const mean = noise.reduce((sum, v) => sum + v, 0) / noise.length;
    const deviation = Math.sqrt(noise.reduce((sum, v) => sum + (v - mean) ** 2, 0) / noise.length);
    // Five standard errors for 12,288 draws.
    expect(Math.abs(mean)).toBeLessThan((5 * 0.25) / Math.sqrt(noise.length));
    expect(Math.abs(deviation / 0.25 - 1)).toBeLessThan(5 / Math.sqrt(2 * noise.length));
  });

  it('repeats itself with its seed and differs with another', async () => {
    const data = randomPictures(dims);
    const run = (seed: number) => throughDefences(`noise(seed=${seed})`, dims, data);
    expect(await run(3)).toEqual(await run(3));
    expect(farthest(await run(3), await run(4))).toBeGreaterThan(0);
  });
});

describe('resize-pad', () => {
  it('changes nothing at a share of 1', async () => {
    const dims = [2, 3, 9, 7];
    const data = randomPictures(dims);
    expect(farthest(await throughDefences('resize-pad(least=1)', dims, data), data)).toBeLessThan(1e-6);
  });

  it('lays smaller pictures on black, each of its own size and place', async () => {
    const [n, side] = [64, 20];
    const white = new Float32Array(n * side * side).fill(1);
    const got = await throughDefences('resize-pad(least=0.5, seed=2)', [n, 1, side, side], white);
    const areas: number[] = [];
    const centres: number[] = [];
    for (let i = 0; i < n; i++) {
      const picture = got.slice(i * side * side, (i + 1) * side * side);
      const area = picture.reduce((sum, v) => sum + v, 0);
      areas.push(Math.sqrt(area) / side);
      centres.push(picture.reduce((sum, v, p) => sum + v * ((p % side) + 0.5), 0) / area);
      expect(Math.min(...picture)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...picture)).toBeLessThanOrEqual(1 + 1e-6);
    }
    // A white picture keeps its area exactly: the share of its side, from ½ to 1, evenly.
    for (const share of areas) {
      expect(share).toBeGreaterThan(0.5 - 1e-6);
      expect(share).toBeLessThan(1 + 1e-6);
    }
    const mean = areas.reduce((sum, v) => sum + v, 0) / n;
    expect(Math.abs(mean - 0.75)).toBeLessThan((5 * 0.5) / Math.sqrt(12 * n));
    expect(new Set(centres.map((c) => c.toFixed(3))).size).toBeGreaterThan(n / 2);
  });

  it('samples bilinearly', async () => {
    // On a slope, bilinear sampling gives the slope again, steeper by the share that is left.
    const side = 16;
    const slope = Float32Array.from({ length: side * side }, (_, p) => (p % side) / side);
    const got = await throughDefences('resize-pad(least=0.5, seed=5)', [1, 1, side, side], slope);
    const white = await throughDefences(
      'resize-pad(least=0.5, seed=5)',
      [1, 1, side, side],
      new Float32Array(side * side).fill(1),
    );
    const share = Math.sqrt(white.reduce((sum, v) => sum + v, 0)) / side;
    const row = Math.floor(white.indexOf(1) / side) * side;
    const inside = Array.from({ length: side }, (_, i) => i).filter((i) => white[row + i]! === 1);
    const steps = inside.slice(2, -2).map((i) => got[row + i]! - got[row + i - 1]!);
    expect(steps.length).toBeGreaterThan(2);
    for (const step of steps) expect(step).toBeCloseTo(1 / side / share, 5);
  });
});
