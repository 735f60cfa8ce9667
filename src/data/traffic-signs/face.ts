/** A sign's face drawn once, flat and clean, as a small texture that the camera then samples. */
import { coverage } from './shape.ts';
import { type Paint, SIGNS } from './signs.ts';

/** Side of a face in texels. */
export const FACE_SIZE = 96;

/** The face spans [-FACE_EXTENT, FACE_EXTENT]² of the sign's plane. */
export const FACE_EXTENT = 1.08;

const PAINTS: Readonly<Record<Paint, readonly [number, number, number]>> = {
  white: [0.93, 0.93, 0.91],
  red: [0.74, 0.08, 0.11],
  blue: [0.05, 0.26, 0.62],
  black: [0.07, 0.07, 0.08],
  yellow: [0.97, 0.76, 0.08],
};

const faces = new Map<number, Float32Array>();

/**
 * Texels of a class's face, `[FACE_SIZE, FACE_SIZE, 4]` row-major: red, green, blue times opacity, then opacity, all in
 * [0, 1]. Drawn on first use and kept (147 kB each); the caller must not write to it.
 */
export function faceOf(classIndex: number): Float32Array {
  let face = faces.get(classIndex);
  if (face === undefined) {
    face = draw(classIndex);
    faces.set(classIndex, face);
  }
  return face;
}

function draw(classIndex: number): Float32Array {
  const { outline, layers } = SIGNS[classIndex]!.drawing;
  const face = new Float32Array(FACE_SIZE * FACE_SIZE * 4);
  const texel = (2 * FACE_EXTENT) / FACE_SIZE;
  for (let row = 0; row < FACE_SIZE; row++) {
    for (let column = 0; column < FACE_SIZE; column++) {
      const x = (column + 0.5) * texel - FACE_EXTENT;
      const y = (row + 0.5) * texel - FACE_EXTENT;
      const opacity = coverage(outline(x, y), texel);
      if (opacity === 0) continue;
      let [red, green, blue] = [0, 0, 0];
      for (const { shape, paint } of layers) {
        const share = coverage(shape(x, y), texel);
        const colour = PAINTS[paint];
        red += (colour[0] - red) * share;
        green += (colour[1] - green) * share;
        blue += (colour[2] - blue) * share;
      }
      face.set([red * opacity, green * opacity, blue * opacity, opacity], (row * FACE_SIZE + column) * 4);
    }
  }
  return face;
}
