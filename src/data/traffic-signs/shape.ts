/**
 * Plane shapes as signed distance functions: negative inside, positive outside, in the units of the coordinates.
 *
 * `y` grows downwards and angles turn clockwise from the right, as in the pictures. Polygon distance after
 * https://iquilezles.org/articles/distfunctions2d/ (the method; the code is ours).
 */
import { cosine, sine } from './trigonometry.ts';

/** Signed distance from a point to a shape's edge. */
export type Shape = (x: number, y: number) => number;

/** A point, `[x, y]`. */
export type Point = readonly [x: number, y: number];

/** Disc around `(cx, cy)`. */
export function disc(cx: number, cy: number, radius: number): Shape {
  return (x, y) => Math.sqrt((x - cx) * (x - cx) + (y - cy) * (y - cy)) - radius;
}

/** Upright rectangle around `(cx, cy)`, its corners rounded by `round`. */
export function box(cx: number, cy: number, halfWidth: number, halfHeight: number, round = 0): Shape {
  return (x, y) => {
    const dx = Math.abs(x - cx) - halfWidth + round;
    const dy = Math.abs(y - cy) - halfHeight + round;
    const ox = Math.max(dx, 0);
    const oy = Math.max(dy, 0);
    return Math.sqrt(ox * ox + oy * oy) + Math.min(Math.max(dx, dy), 0) - round;
  };
}

/** Closed polygon through `points` (either turning direction), grown outwards by `round`. */
export function polygon(points: readonly Point[], round = 0): Shape {
  return (x, y) => {
    let nearest = Number.POSITIVE_INFINITY;
    let inside = false;
    for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
      const [ax, ay] = points[i]!;
      const [bx, by] = points[j]!;
      nearest = Math.min(nearest, squaredDistanceToSegment(x, y, ax, ay, bx, by));
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    }
    const distance = Math.sqrt(nearest);
    return (inside ? -distance : distance) - round;
  };
}

/** A round pen of the given `width` drawn along `points`. */
export function stroke(points: readonly Point[], width: number): Shape {
  return (x, y) => {
    let nearest = Number.POSITIVE_INFINITY;
    for (let i = 1; i < points.length; i++) {
      const [ax, ay] = points[i - 1]!;
      const [bx, by] = points[i]!;
      nearest = Math.min(nearest, squaredDistanceToSegment(x, y, ax, ay, bx, by));
    }
    return Math.sqrt(nearest) - width / 2;
  };
}

/** Points of a circular arc from `from` to `to` degrees, at most 20° apart. */
export function arc(cx: number, cy: number, radius: number, from: number, to: number): Point[] {
  const steps = Math.max(1, Math.ceil(Math.abs(to - from) / 20));
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = from + ((to - from) * i) / steps;
    return [cx + radius * cosine(angle), cy + radius * sine(angle)] as const;
  });
}

/** Corners of a regular polygon; the first lies at `degrees`. */
export function regular(corners: number, radius: number, degrees: number): Point[] {
  return Array.from({ length: corners }, (_, i) => {
    const angle = degrees + (360 * i) / corners;
    return [radius * cosine(angle), radius * sine(angle)] as const;
  });
}

/** What lies in any of `shapes`. */
export function union(...shapes: readonly Shape[]): Shape {
  return (x, y) => {
    let nearest = Number.POSITIVE_INFINITY;
    for (const shape of shapes) nearest = Math.min(nearest, shape(x, y));
    return nearest;
  };
}

/** What lies in both shapes. */
export function both(a: Shape, b: Shape): Shape {
  return (x, y) => Math.max(a(x, y), b(x, y));
}

/** `shape` made `scale` times as large, then moved by `(dx, dy)`. */
export function placed(shape: Shape, dx: number, dy: number, scale = 1): Shape {
  return (x, y) => scale * shape((x - dx) / scale, (y - dy) / scale);
}

/** `shape` turned clockwise about the origin. */
export function turned(shape: Shape, degrees: number): Shape {
  const c = cosine(degrees);
  const s = sine(degrees);
  return (x, y) => shape(c * x + s * y, c * y - s * x);
}

/** `shape` with left and right exchanged. */
export function mirrored(shape: Shape): Shape {
  return (x, y) => shape(-x, y);
}

/** How much of a square pixel of side `size` at signed distance `distance` is covered, in [0, 1]. */
export function coverage(distance: number, size: number): number {
  return Math.min(1, Math.max(0, 0.5 - distance / size));
}

function squaredDistanceToSegment(
  x: number,
  y: number,
  ax: number,
  ay: number,
  bx: number,
  by: number,
): number {
  const ex = bx - ax;
  const ey = by - ay;
  const wx = x - ax;
  const wy = y - ay;
  const along = Math.min(1, Math.max(0, (wx * ex + wy * ey) / (ex * ex + ey * ey)));
  const dx = wx - ex * along;
  const dy = wy - ey * along;
  return dx * dx + dy * dy;
}
