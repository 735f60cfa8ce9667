/** The pictograms on the signs, in the sign's units around the origin; all of our own drawing. */
import { arc, box, disc, placed, polygon, type Shape, stroke, turned, union } from './shape.ts';

/** An arrow head at the origin pointing right, one unit long. */
const HEAD = polygon([
  [0.5, 0],
  [-0.5, -0.62],
  [-0.5, 0.62],
]);

/** An arrow from below that bends to the right. */
export function turnRight(): Shape {
  const bend = stroke([[-0.3, 0.62], [-0.3, 0.1], ...arc(-0.08, 0.1, 0.22, 180, 270), [0.2, -0.12]], 0.23);
  return union(bend, placed(HEAD, 0.36, -0.12, 0.52));
}

/** Three arrows that chase each other clockwise. */
export function roundabout(): Shape {
  const part = union(stroke(arc(0, 0, 0.52, 0, 70), 0.17), placed(turned(HEAD, -85), 0.51, -0.1, 0.38));
  return union(part, turned(part, 120), turned(part, 240));
}

/** A walking person, one unit high, the head at the top. */
export const WALKER = union(
  disc(0.03, -0.43, 0.1),
  stroke(
    [
      [0, -0.22],
      [-0.03, 0.05],
    ],
    0.19,
  ),
  stroke(
    [
      [0.02, 0.05],
      [0.14, 0.24],
      [0.16, 0.48],
    ],
    0.11,
  ),
  stroke(
    [
      [-0.05, 0.05],
      [-0.1, 0.27],
      [-0.27, 0.46],
    ],
    0.11,
  ),
  stroke(
    [
      [0.03, -0.24],
      [0.16, -0.1],
      [0.27, -0.06],
    ],
    0.085,
  ),
  stroke(
    [
      [-0.03, -0.24],
      [-0.17, -0.12],
      [-0.22, 0.04],
    ],
    0.085,
  ),
);

/** A car from behind, about half a unit wide. */
export const CAR = union(
  box(0, 0.06, 0.24, 0.12, 0.05),
  polygon(
    [
      [-0.12, -0.16],
      [0.12, -0.16],
      [0.17, 0],
      [-0.17, 0],
    ],
    0.04,
  ),
  box(-0.16, 0.17, 0.065, 0.1, 0.02),
  box(0.16, 0.17, 0.065, 0.1, 0.02),
);

/** A taller and a smaller child walking. */
export function children(): Shape {
  return union(placed(WALKER, -0.13, 0.17, 0.76), placed(WALKER, 0.25, 0.3, 0.52));
}

/** A digging person beside a heap. */
export function roadWorks(): Shape {
  const digger = union(
    disc(-0.1, -0.15, 0.09),
    stroke(
      [
        [-0.1, 0.02],
        [-0.2, 0.2],
      ],
      0.16,
    ),
    stroke(
      [
        [-0.2, 0.22],
        [-0.1, 0.36],
        [-0.12, 0.54],
      ],
      0.1,
    ),
    stroke(
      [
        [-0.22, 0.22],
        [-0.32, 0.38],
        [-0.36, 0.54],
      ],
      0.1,
    ),
    stroke(
      [
        [-0.08, 0.02],
        [0.06, 0.14],
      ],
      0.08,
    ),
    stroke(
      [
        [-0.06, 0.1],
        [0.2, 0.4],
      ],
      0.055,
    ),
  );
  return union(
    digger,
    polygon(
      [
        [0.1, 0.55],
        [0.33, 0.28],
        [0.54, 0.55],
      ],
      0.02,
    ),
  );
}
