import { describe, expect, it } from 'vitest';
import { type Rng, randomFrom } from '../../core/random.ts';
import { nearest, reflect, reflect101 } from './border.ts';
import { clippedZoom } from './clipped-zoom.ts';
import { defocusBlur } from './defocus-blur.ts';
import { gaussianFilter } from './gaussian-filter.ts';
import { glassBlur } from './glass-blur.ts';
import { smear } from './motion-blur.ts';
import { pattern } from './sample-picture.fixture.ts';
import { zoomBlur } from './zoom-blur.ts';

const close = (got: ArrayLike<number>, expected: readonly number[], digits = 4) => {
  expect(got).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(got[i], `at ${i}`).toBeCloseTo(value, digits);
};

it('borders take from where OpenCV and SciPy do', () => {
  const along = (border: typeof nearest, size: number) =>
    Array.from({ length: 9 }, (_, i) => border(i - 3, size));
  expect(along(nearest, 3)).toEqual([0, 0, 0, 0, 1, 2, 2, 2, 2]);
  expect(along(reflect, 3)).toEqual([2, 1, 0, 0, 1, 2, 2, 1, 0]);
  expect(along(reflect101, 3)).toEqual([1, 2, 1, 0, 1, 2, 1, 0, 1]);
  for (const border of [nearest, reflect, reflect101]) expect(along(border, 1)).toEqual(Array(9).fill(0));
});

describe('gaussianFilter', () => {
  const plane = [0, 1, 2, 4, 8, 3, 1, 0, 5, 5, 9, 2];

  // scipy.ndimage.gaussian_filter, SciPy 1.15.
  it('agrees with SciPy, mirrored at the border', () => {
    close(
      gaussianFilter(plane, 3, 4, 1.3, { truncate: 3, border: reflect }),
      [
        2.84879, 2.687901, 2.548191, 2.494131, 3.841122, 3.554378, 3.130069, 2.77477, 4.717415, 4.402303,
        3.801534, 3.199396,
      ],
      5,
    );
  });

  it('agrees with SciPy, the border repeated', () => {
    close(
      gaussianFilter(plane, 3, 4, 0.7, { truncate: 4, border: nearest }),
      [
        1.643591, 1.602914, 2.054786, 2.876174, 5.066887, 3.536793, 2.621165, 1.645091, 5.375179, 5.303324,
        5.488155, 2.803859,
      ],
      5,
    );
  });

  it('changes nothing without a width, and leaves one value alone', () => {
    expect([...gaussianFilter(plane, 3, 4, 0, { truncate: 4, border: nearest })]).toEqual(plane);
    close(gaussianFilter([7], 1, 1, 50, { truncate: 3, border: reflect }), [7], 9);
  });
});

describe('clippedZoom', () => {
  const plane = Array.from({ length: 25 }, (_, i) => (i * i) / 10);

  // The published `clipped_zoom` on SciPy 1.15.
  it.each([
    [
      1.25,
      [
        0, 0.075, 0.25, 0.525, 0.9, 1.875, 2.5125, 3.25, 4.0875, 5.025, 6.25, 7.45, 8.75, 10.15, 11.65,
        13.125, 14.8875, 16.75, 18.7125, 20.775, 22.5, 24.825, 27.25, 29.775, 32.4,
      ],
    ],
    [
      3,
      [
        3.6, 3.86, 4.12, 4.38, 4.64, 5.3, 5.6, 5.9, 6.2, 6.5, 7.0, 7.34, 7.68, 8.02, 8.36, 8.7, 9.08, 9.46,
        9.84, 10.22, 10.4, 10.82, 11.24, 11.66, 12.08,
      ],
    ],
  ])('agrees with the published one at %f', (factor, expected) => {
    close(clippedZoom(plane, 5, 5, factor), expected, 6);
  });

  it('changes nothing at 1, and copes with one pixel', () => {
    expect([...clippedZoom(plane, 5, 5, 1)]).toEqual(plane);
    expect([...clippedZoom([0.3], 1, 1, 4.5)]).toEqual([0.3]);
  });
});

describe('blurs', () => {
  // cv2.filter2D with the published `disk`, OpenCV 4.11.
  it('defocus agrees with OpenCV at radius 1.5', () => {
    close(
      Array.from(defocusBlur.distort(pattern(6, 6, 1), 5, randomFrom(1))),
      [
        0.06623, 0.08758, 0.15163, 0.21569, 0.27974, 0.30109, 0.10588, 0.12941, 0.2, 0.27059, 0.34118,
        0.36471, 0.22484, 0.2549, 0.3451, 0.43529, 0.52549, 0.55556, 0.41438, 0.45098, 0.56078, 0.55904,
        0.5573, 0.48235, 0.45142, 0.49455, 0.51242, 0.53028, 0.54815, 0.47974, 0.53813, 0.58344, 0.60784,
        0.5207, 0.43355, 0.25577,
      ],
    );
  });

  it('motion is half a Gaussian to one side', () => {
    const line = [0, 0, 0, 0, 0, 0, 1, 0, 0];
    const bell = [0, 1, 2, 3, 4].map((i) => Math.exp(-(i * i) / 8));
    const total = bell.reduce((sum, value) => sum + value, 0);
    const expected = [0, 0, ...bell.toReversed().map((value) => value / total), 0, 0];
    close(smear(line, 1, 9, 2, 2, 0), expected, 9);
    close(smear(line, 9, 1, 2, 2, 90), expected, 9);
    close(
      smear(line, 1, 9, 2, 2, 180),
      [0, 0, 0, 0, 0, 0, ...bell.slice(0, 3).map((value) => value / total)],
      9,
    );
  });

  // ImageMagick's formula in NumPy, the edge repeated.
  it('motion agrees with the published formula along 30°', () => {
    const { values } = pattern(6, 6, 1);
    close(
      smear(values, 6, 6, 2, 1.5, 30),
      [
        0.06674, 0.12271, 0.17867, 0.22953, 0.26817, 0.28963, 0.13743, 0.213, 0.28857, 0.35768, 0.41118,
        0.44089, 0.27869, 0.3618, 0.45698, 0.54435, 0.61271, 0.65068, 0.47848, 0.53608, 0.47714, 0.58276,
        0.66599, 0.71221, 0.52464, 0.6588, 0.79295, 0.57846, 0.25398, 0.30845, 0.43364, 0.16009, 0.30911,
        0.44785, 0.5608, 0.62353,
      ],
    );
  });

  it('leave a flat picture flat', () => {
    const flat = { channels: 2, height: 11, width: 7, values: new Float32Array(2 * 77).fill(0.4) };
    for (const blur of [defocusBlur, glassBlur, zoomBlur])
      close(Array.from(blur.distort(flat, 5, randomFrom(2))), Array(154).fill(0.4), 6);
  });

  it('glass takes each pixel of the inside from its neighbourhood', () => {
    const picture = pattern(12, 12, 1);
    const fixed: Rng = { uniform: () => 0, normal: () => 0, integer: () => 0, fork: () => fixed };
    const out = glassBlur.distort(picture, 1, fixed);
    // Severity 1 at this size does not blur; the draw 0 means one row and one column back, from the lower right on.
    for (let y = 0; y < 12; y++)
      for (let x = 0; x < 12; x++) {
        const back = y >= 2 && x >= 2 ? 13 : 0;
        expect(out[y * 12 + x]).toBe(picture.values[y * 12 + x - back]);
      }
  });
});
