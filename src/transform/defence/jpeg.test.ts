import { describe, expect, it } from 'vitest';
import { CHROMINANCE, LUMINANCE, tableFor } from './jpeg-tables.ts';
import { farthest, onPlanes, randomPictures, throughDefences } from './picture-model.fixture.ts';

describe('jpeg', () => {
  it.each([
    [[2, 1, 16, 8], 75],
    [[1, 1, 13, 10], 30],
    [[1, 4, 9, 16], 90],
  ])('rounds the coefficients of grey pictures %j at quality %i', async (dims, quality) => {
    const data = randomPictures(dims);
    const expected = onPlanes(dims, data, (at, h, w) =>
      block(at, h, w, Array.from(tableFor(LUMINANCE, quality)), 128).map(byte),
    );
    expect(farthest(await throughDefences(`jpeg(quality=${quality})`, dims, data), expected)).toBeLessThan(
      1e-5,
    );
  });

  it.each([
    [[1, 3, 16, 16], 75, false],
    [[2, 3, 11, 13], 50, false],
    [[1, 3, 16, 32], 75, true],
    [[1, 3, 20, 18], 60, true],
  ])('rounds colours of %j at quality %i, subsampling %s', async (dims, quality, subsampling) => {
    const data = randomPictures(dims);
    const got = await throughDefences(`jpeg(quality=${quality}, subsampling=${subsampling})`, dims, data);
    expect(farthest(got, colour(dims, data, quality, subsampling))).toBeLessThan(1e-5);
  });

  it('changes next to nothing at quality 100', async () => {
    const dims = [1, 3, 24, 24];
    const data = randomPictures(dims);
    // Steps of 1 leave at most half a step in each of 192 coefficients of a block.
    expect(farthest(await throughDefences('jpeg(quality=100)', dims, data), data)).toBeLessThan(6 / 255);
  });

  it('changes nothing that is flat', async () => {
    const data = new Float32Array(3 * 16 * 16).fill(128 / 255);
    expect(farthest(await throughDefences('jpeg(quality=10)', [1, 3, 16, 16], data), data)).toBeLessThan(
      1e-5,
    );
  });

  it('loses more at a lower quality', async () => {
    const dims = [1, 1, 16, 16];
    const data = randomPictures(dims);
    const losses: number[] = [];
    for (const quality of [95, 75, 50, 20, 5]) {
      const got = await throughDefences(`jpeg(quality=${quality})`, dims, data);
      losses.push(got.reduce((sum, v, i) => sum + (v - data[i]!) ** 2, 0));
    }
    expect(losses).toEqual([...losses].sort((a, b) => a - b));
  });
});

const byte = (v: number) => Math.min(255, Math.max(0, v)) / 255;

/** A plane from 0 to 1 (times 255) after rounding its coefficients: straight from the definition of the transform. */
function block(
  at: (y: number, x: number) => number,
  h: number,
  w: number,
  steps: readonly number[],
  shift: number,
  scale = 255,
): number[] {
  const out = new Array<number>(h * w).fill(0);
  const c = (k: number) => (k === 0 ? Math.SQRT1_2 : 1);
  const wave = (n: number, k: number) => Math.cos(((2 * n + 1) * k * Math.PI) / 16);
  for (let top = 0; top < h; top += 8)
    for (let left = 0; left < w; left += 8) {
      const f = steps.map((step, i) => {
        const [v, u] = [i >> 3, i & 7];
        let sum = 0;
        for (let y = 0; y < 8; y++)
          for (let x = 0; x < 8; x++)
            sum += (at(top + y, left + x) * scale - shift) * wave(y, v) * wave(x, u);
        return Math.round((c(u) * c(v) * sum) / 4 / step + 1e-3) * step;
      });
      for (let y = 0; y < 8 && top + y < h; y++)
        for (let x = 0; x < 8 && left + x < w; x++) {
          let sum = 0;
          for (let i = 0; i < 64; i++) sum += c(i >> 3) * c(i & 7) * f[i]! * wave(y, i >> 3) * wave(x, i & 7);
          out[(top + y) * w + left + x] = sum / 4 + shift;
        }
    }
  return out;
}

function colour(
  [n, , h, w]: readonly number[],
  data: Float32Array,
  quality: number,
  subsampling: boolean,
): number[] {
  const size = h! * w!;
  const [luminance, chrominance] = [LUMINANCE, CHROMINANCE].map((t) => Array.from(tableFor(t, quality)));
  return Array.from({ length: n! }, (_, i) => {
    const plane = (mix: readonly number[]) =>
      Array.from({ length: size }, (_, p) =>
        mix.reduce((sum, m, ch) => sum + m * 255 * data[(i * 3 + ch) * size + p]!, 0),
      );
    const clamped = (values: readonly number[], rows: number, columns: number) => (y: number, x: number) =>
      values[Math.min(rows - 1, y) * columns + Math.min(columns - 1, x)]!;
    const y = block(clamped(plane([0.299, 0.587, 0.114]), h!, w!), h!, w!, luminance!, 128, 1);
    const chroma = (mix: readonly number[]) => {
      const at = clamped(plane(mix), h!, w!);
      if (!subsampling) return block(at, h!, w!, chrominance!, 0, 1);
      const rows = 8 * Math.ceil(h! / 16);
      const columns = 8 * Math.ceil(w! / 16);
      const half = block(
        (r, q) =>
          (at(2 * r, 2 * q) + at(2 * r, 2 * q + 1) + at(2 * r + 1, 2 * q) + at(2 * r + 1, 2 * q + 1)) / 4,
        rows,
        columns,
        chrominance!,
        0,
        1,
      );
      return Array.from(
        { length: size },
        (_, p) => half[(Math.floor(p / w!) >> 1) * columns + ((p % w!) >> 1)]!,
      );
    };
    const cb = chroma([-0.168735892, -0.331264108, 0.5]);
    const cr = chroma([0.5, -0.418687589, -0.081312411]);
    return [
      ...y.map((v, p) => byte(v + 1.402 * cr[p]!)),
      ...y.map((v, p) => byte(v - 0.344136286 * cb[p]! - 0.714136286 * cr[p]!)),
      ...y.map((v, p) => byte(v + 1.772 * cb[p]!)),
    ];
  }).flat();
}
