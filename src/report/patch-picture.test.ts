import { expect, it } from 'vitest';
import { patchPicture } from './patch-picture.ts';

const bounds: readonly [number, number] = [-1, 1];
/** Red left, green right; or dark left, light right. */
const COLOUR = Float32Array.of(1, -1, 1, -1, -1, 1, -1, 1, -1, -1, -1, -1);
const GREY = Float32Array.of(-1, 1, -1, 1);

it('a square patch is drawn in full, opaque, and large enough to print', () => {
  const { width, height, channels, pixels } = patchPicture(
    { values: COLOUR, dims: [3, 2, 2], bounds },
    'square',
  );
  expect([width, height, channels]).toEqual([600, 600, 4]);
  const at = (row: number, column: number) => [
    ...pixels.slice(4 * (row * 600 + column), 4 * (row * 600 + column) + 4),
  ];
  expect(at(0, 0)).toEqual([255, 0, 0, 255]);
  expect(at(599, 599)).toEqual([0, 255, 0, 255]);
  // Halfway between the two.
  const [red, green, blue] = at(300, 300);
  expect(Math.abs(red! - 128)).toBeLessThan(3);
  expect(Math.abs(green! - 128)).toBeLessThan(3);
  expect(blue).toBe(0);
});

it('a round patch is transparent outside, and its colours reach to the rim', () => {
  const { channels, pixels } = patchPicture({ values: GREY, dims: [1, 2, 2], bounds }, 'circle');
  expect(channels).toBe(2);
  const at = (row: number, column: number) => [
    ...pixels.slice(2 * (row * 600 + column), 2 * (row * 600 + column) + 2),
  ];
  expect(at(0, 0)[1]).toBe(0);
  expect(at(599, 0)[1]).toBe(0);
  expect(at(300, 0)).toEqual([0, 255]);
  expect(at(300, 599)).toEqual([255, 255]);
});
