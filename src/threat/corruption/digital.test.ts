import { describe, expect, it } from 'vitest';
import { type Rng, randomFrom } from '../../core/random.ts';
import { elasticTransform } from './elastic.ts';
import { recompressed } from './jpeg.ts';
import { brightness, contrast } from './light.ts';
import { pixelate } from './pixelate.ts';
import { pattern, patternBytes } from './sample-picture.fixture.ts';

describe('jpeg', () => {
  const bytes = (values: Float32Array) =>
    Array.from(values, (value) => Math.min(255, Math.max(0, Math.round(255 * value))));

  // Pillow 13.0 with libjpeg-turbo 3.2: `patternBytes(9, 7, 3)` saved at this quality and read again, plane by plane.
  it.each([
    [
      75,
      [
        0, 11, 0, 35, 44, 69, 91, 20, 15, 48, 53, 75, 127, 119, 42, 74, 92, 111, 156, 188, 219, 102, 133, 157,
        197, 193, 100, 109, 172, 198, 209, 90, 56, 87, 105, 63, 49, 82, 115, 150, 177, 193, 90, 147, 192, 213,
        108, 40, 81, 167, 77, 78, 123, 132, 198, 202, 59, 123, 207, 85, 34, 76, 118, 39, 59, 56, 95, 89, 104,
        118, 53, 53, 97, 98, 105, 144, 129, 60, 94, 115, 128, 157, 174, 193, 111, 139, 164, 199, 184, 82, 81,
        177, 200, 208, 88, 57, 92, 109, 68, 48, 71, 105, 154, 193, 218, 99, 146, 170, 192, 109, 58, 109, 191,
        84, 54, 98, 137, 224, 240, 107, 150, 191, 65, 50, 116, 167, 81, 97, 87, 123, 118, 132, 147, 94, 90,
        129, 127, 133, 172, 156, 100, 131, 147, 156, 185, 200, 220, 144, 171, 192, 222, 203, 98, 93, 199, 221,
        224, 99, 59, 85, 94, 74, 53, 75, 103, 139, 166, 178, 82, 128, 156, 171, 75, 10, 50, 178, 76, 52, 93,
        115, 189, 193, 129, 177, 230, 102, 73, 126, 171,
      ],
    ],
    [
      40,
      [
        0, 8, 48, 45, 42, 85, 105, 4, 9, 36, 52, 59, 107, 165, 60, 42, 81, 148, 179, 188, 189, 83, 120, 188,
        199, 134, 91, 110, 196, 187, 176, 130, 77, 85, 121, 66, 69, 92, 117, 148, 206, 234, 101, 136, 192,
        188, 114, 71, 85, 199, 95, 50, 97, 152, 192, 224, 96, 153, 200, 66, 47, 96, 145, 29, 65, 98, 87, 72,
        105, 114, 56, 57, 78, 87, 84, 122, 169, 95, 74, 108, 170, 191, 192, 187, 99, 135, 200, 208, 135, 88,
        102, 194, 186, 172, 125, 68, 73, 107, 54, 58, 80, 105, 135, 194, 221, 87, 122, 179, 176, 104, 63, 80,
        187, 83, 40, 91, 149, 192, 227, 90, 150, 198, 69, 54, 107, 161, 50, 85, 121, 109, 98, 132, 147, 78,
        79, 100, 107, 104, 143, 194, 117, 95, 127, 184, 203, 201, 192, 122, 156, 216, 217, 139, 83, 91, 216,
        204, 186, 129, 63, 57, 80, 74, 74, 90, 107, 126, 172, 187, 104, 137, 188, 176, 95, 44, 50, 201, 95,
        48, 93, 144, 180, 208, 102, 161, 209, 76, 60, 109, 160,
      ],
    ],
  ])('agrees with libjpeg-turbo to two levels at quality %i, in colour', (quality, expected) => {
    const got = bytes(recompressed(pattern(9, 7, 3), quality));
    expect(Math.max(...got.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThanOrEqual(2);
  });

  it('agrees with libjpeg-turbo to a level at quality 50, in grey', () => {
    const expected = [
      0, 24, 22, 15, 69, 69, 0, 38, 53, 54, 80, 85, 44, 62, 69, 104, 130, 165, 80, 105, 126, 191, 176, 236,
      140, 191, 213, 224, 41, 43,
    ];
    const got = bytes(recompressed(pattern(5, 6, 1), 50));
    expect(Math.max(...got.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThanOrEqual(1);
  });

  it('loses next to nothing at quality 100', () => {
    const got = bytes(recompressed(pattern(16, 16, 1), 100));
    const bytesBefore = patternBytes(16, 16, 1);
    expect(Math.max(...got.map((value, i) => Math.abs(value - bytesBefore[i]!)))).toBeLessThanOrEqual(2);
  });

  it('takes two channels as two grey pictures', () => {
    const both = pattern(8, 8, 2);
    const alone = { ...both, channels: 1, values: both.values.slice(64) };
    expect(recompressed(both, 30).slice(64)).toEqual(recompressed(alone, 30));
  });
});

describe('pixelate', () => {
  // Pillow 13.0, mode F, BOX to 6 × 6 and back to 10 × 10: columns of the first row.
  it('repeats means of whole pixels as Pillow does', () => {
    const out = Array.from(pixelate.distort(pattern(10, 10, 1), 5, randomFrom(1)), (v) => 255 * v);
    const expected = [12.25, 12.25, 35.5, 58.75, 58.75, 89.75, 89.75, 113, 136.25, 136.25];
    for (const [x, value] of expected.entries()) expect(out[x]).toBeCloseTo(value, 3);
    const fifth = [102.75, 102.75, 99.5, 160.25, 160.25, 113.25, 113.25, 174, 106.75, 106.75];
    for (const [x, value] of fifth.entries()) expect(out[50 + x]).toBeCloseTo(value, 3);
  });
});

describe('light', () => {
  it('brightness raises the largest channel and keeps hue and saturation', () => {
    const values = Float32Array.of(0.2, 0, 0.8, 0.4, 0, 0.6, 0.1, 0, 0.4);
    const out = brightness.distort({ channels: 3, height: 1, width: 3, values }, 5, randomFrom(1));
    // (0.2, 0.4, 0.1) grows to 0.7 at its largest; black turns grey; 0.8 would pass 1.
    const expected = [0.35, 0.3, 1, 0.7, 0.3, 0.75, 0.175, 0.3, 0.5];
    for (const [i, value] of expected.entries()) expect(out[i]).toBeCloseTo(value, 5);
  });

  it('contrast keeps the mean of every channel', () => {
    const { values, ...size } = pattern(5, 5, 2);
    const out = Float64Array.from(contrast.distort({ ...size, values }, 5, randomFrom(1)));
    for (const c of [0, 25]) {
      const mean = (list: Iterable<number>) => [...list].reduce((sum, v) => sum + v, 0) / 25;
      const [before, after] = [mean(values.slice(c, c + 25)), mean(out.slice(c, c + 25))];
      expect(after).toBeCloseTo(before, 6);
      expect(out[c + 3]! - after).toBeCloseTo(0.15 * (values[c + 3]! - before), 5);
    }
  });
});

describe('elastic transform', () => {
  const steady = (value: number): Rng => {
    const rng: Rng = { uniform: () => value, normal: () => 0, integer: () => 0, fork: () => rng };
    return rng;
  };

  it('changes nothing where no draw moves anything', () => {
    const picture = pattern(12, 20, 2);
    const out = elasticTransform.distort(picture, 4, steady(0.5));
    for (const [i, value] of picture.values.entries()) expect(out[i]).toBeCloseTo(value, 6);
  });

  it('shifts where all points move alike: the inverse of the map, in pixels', () => {
    // Severity 1 has no wobble; a draw of 1 moves all three points by 0.08 × 25 = 2 pixels each way.
    const picture = pattern(25, 25, 1);
    const out = elasticTransform.distort(picture, 1, steady(1));
    for (let y = 2; y < 25; y++)
      for (let x = 2; x < 25; x++)
        expect(out[y * 25 + x]).toBeCloseTo(picture.values[(y - 2) * 25 + x - 2]!, 5);
  });
});
