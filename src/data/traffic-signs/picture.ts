/** A picture while it is being made: three float planes that shapes are painted on. */
import type { Rng } from '../../core/random.ts';
import type { Shape } from './shape.ts';

/** Side of every picture in pixels. */
export const SIZE = 32;

/** Pixels of one colour plane. */
export const PLANE = SIZE * SIZE;

/** `[3, 32, 32]` row-major, red, green, blue; 0 is black and 1 is white, values beyond are cut off at the end. */
export type Picture = Float32Array;

/** Red, green, blue in [0, 1]. */
export type Colour = readonly [red: number, green: number, blue: number];

/** Uniform in [low, high). */
export function between(rng: Rng, low: number, high: number): number {
  return low + (high - low) * rng.uniform();
}

/** One of `choices`, all equally likely. */
export function pick<T>(rng: Rng, choices: readonly T[]): T {
  return choices[rng.integer(choices.length)]!;
}

/**
 * Paints `shape` (pixel coordinates, pixel centres at .5) in one colour; `softness` is its edge's width in pixels.
 *
 * The shape's distance must not change by more than 1 from a pixel to the next in a row (every true distance keeps to
 * that): pixels within the distance just seen are skipped.
 */
export function paint(picture: Picture, shape: Shape, colour: Colour, opacity = 1, softness = 1): void {
  for (let row = 0; row < SIZE; row++) {
    for (let column = 0; column < SIZE; ) {
      const outside = shape(column + 0.5, row + 0.5) - softness / 2;
      if (outside < 0) {
        blend(picture, row * SIZE + column, colour, opacity * Math.min(1, -outside / softness));
        column++;
      } else {
        column += Math.max(1, Math.floor(outside));
      }
    }
  }
}

/** Moves pixel `i` towards `colour` by `share` in [0, 1]. */
export function blend(picture: Picture, i: number, colour: Colour, share: number): void {
  picture[i] = picture[i]! + (colour[0] - picture[i]!) * share;
  picture[i + PLANE] = picture[i + PLANE]! + (colour[1] - picture[i + PLANE]!) * share;
  picture[i + 2 * PLANE] = picture[i + 2 * PLANE]! + (colour[2] - picture[i + 2 * PLANE]!) * share;
}

/**
 * Smooth random field over the plane with values in [0, 1) (value noise: random numbers on a unit grid, smoothly
 * interpolated). `key` is any 32-bit integer.
 */
export function field(key: number, x: number, y: number): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const fx = ease(x - column);
  const fy = ease(y - row);
  const top = lattice(key, column, row) * (1 - fx) + lattice(key, column + 1, row) * fx;
  const bottom = lattice(key, column, row + 1) * (1 - fx) + lattice(key, column + 1, row + 1) * fx;
  return top * (1 - fy) + bottom * fy;
}

function ease(t: number): number {
  return t * t * (3 - 2 * t);
}

function lattice(key: number, column: number, row: number): number {
  let h = key ^ Math.imul(column, 0x27d4eb2d) ^ Math.imul(row, 0x165667b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}
