/** Where the camera stands: projects a sign's face into the picture with perspective. */
import type { Rng } from '../../core/random.ts';
import { FACE_EXTENT, FACE_SIZE } from './face.ts';
import { between, type Picture, PLANE, SIZE } from './picture.ts';
import { cosine, sine } from './trigonometry.ts';
import { strength } from './trouble.ts';

/** Samples a pixel and axis. */
const SAMPLES = 3;

/** How a sign lies in the picture: centre and radius in pixels, angles in degrees. */
export interface Pose {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  /** Rotation in the picture plane. */
  readonly roll: number;
  /** Turn about the upright axis. */
  readonly yaw: number;
  /** Turn about the level axis. */
  readonly pitch: number;
}

/** A random pose with the sign in view; `small`: far away. */
export function randomPose(rng: Rng, small: boolean): Pose {
  const radius = strength(rng, small, [9.5, 15.5], [6, 9]);
  const room = Math.max(0.5, 16.5 - radius);
  return {
    x: SIZE / 2 + between(rng, -room, room),
    y: SIZE / 2 + between(rng, -room, room),
    radius,
    roll: between(rng, -1, 1) * between(rng, 2, 20),
    yaw: between(rng, -1, 1) * between(rng, 5, 55),
    pitch: between(rng, -1, 1) * between(rng, 2, 30),
  };
}

/**
 * Draws `face` (see `faceOf`) over the picture. `fade` in [0, 1] bleaches its colours towards `grey`.
 *
 * The face's plane is turned by pitch, yaw and roll and seen from 3.5 radii away; each picture pixel averages 3 × 3
 * samples of the face, found through the inverse projection.
 */
export function projectFace(
  picture: Picture,
  face: Float32Array,
  pose: Pose,
  fade: number,
  grey: number,
): void {
  const forward = projection(pose);
  const [xx, xy, x1, yx, yy, y1, wx, wy, w1] = inverse(forward);
  const [left, top, right, bottom] = bounds(forward);
  const scale = FACE_SIZE / (2 * FACE_EXTENT);
  const share = 1 / (SAMPLES * SAMPLES);
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      let red = 0;
      let green = 0;
      let blue = 0;
      let opacity = 0;
      for (let down = 0; down < SAMPLES; down++) {
        const py = row + (down + 0.5) * (1 / SAMPLES);
        for (let across = 0; across < SAMPLES; across++) {
          const px = column + (across + 0.5) * (1 / SAMPLES);
          const perTexel = scale / (wx * px + wy * py + w1);
          const u = (xx * px + xy * py + x1) * perTexel + FACE_SIZE / 2;
          const v = (yx * px + yy * py + y1) * perTexel + FACE_SIZE / 2;
          if (!(u >= 0 && v >= 0 && u < FACE_SIZE && v < FACE_SIZE)) continue;
          const at = ((v | 0) * FACE_SIZE + (u | 0)) * 4;
          red += face[at]!;
          green += face[at + 1]!;
          blue += face[at + 2]!;
          opacity += face[at + 3]!;
        }
      }
      if (opacity === 0) continue;
      const i = row * SIZE + column;
      const keep = 1 - opacity * share;
      const bleach = fade * grey * opacity * share;
      picture[i] = picture[i]! * keep + red * share * (1 - fade) + bleach;
      picture[i + PLANE] = picture[i + PLANE]! * keep + green * share * (1 - fade) + bleach;
      picture[i + 2 * PLANE] = picture[i + 2 * PLANE]! * keep + blue * share * (1 - fade) + bleach;
    }
  }
}

type Matrix = readonly [number, number, number, number, number, number, number, number, number];

/** Homography from the face's plane to pixels. */
function projection({ x, y, radius, roll, yaw, pitch }: Pose): Matrix {
  const [cr, sr, cy, sy, cp, sp] = [
    cosine(roll),
    sine(roll),
    cosine(yaw),
    sine(yaw),
    cosine(pitch),
    sine(pitch),
  ];
  // Columns of roll · yaw · pitch for the plane's two axes.
  const ax = cr * cy;
  const ay = sr * cy;
  const az = -sy / 3.5;
  const bx = cr * sy * sp - sr * cp;
  const by = sr * sy * sp + cr * cp;
  const bz = (cy * sp) / 3.5;
  return [
    radius * ax + x * az,
    radius * bx + x * bz,
    x,
    radius * ay + y * az,
    radius * by + y * bz,
    y,
    az,
    bz,
    1,
  ];
}

/** Inverse up to a factor, which a homography does not see. */
function inverse([a, b, c, d, e, f, g, h, i]: Matrix): Matrix {
  return [
    e * i - f * h,
    c * h - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  ];
}

/** First column and row, and the ends of the columns and rows, that the projected face can touch. */
function bounds(m: Matrix): readonly [left: number, top: number, right: number, bottom: number] {
  const corners = [
    [-FACE_EXTENT, -FACE_EXTENT],
    [FACE_EXTENT, -FACE_EXTENT],
    [FACE_EXTENT, FACE_EXTENT],
    [-FACE_EXTENT, FACE_EXTENT],
  ] as const;
  const w = corners.map(([x, y]) => m[6] * x + m[7] * y + m[8]);
  const columns = corners.map(([x, y], i) => (m[0] * x + m[1] * y + m[2]) / w[i]!);
  const rows = corners.map(([x, y], i) => (m[3] * x + m[4] * y + m[5]) / w[i]!);
  return [
    Math.max(0, Math.floor(Math.min(...columns))),
    Math.max(0, Math.floor(Math.min(...rows))),
    Math.min(SIZE, Math.ceil(Math.max(...columns))),
    Math.min(SIZE, Math.ceil(Math.max(...rows))),
  ];
}
