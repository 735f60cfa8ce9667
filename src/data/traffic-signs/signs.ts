/**
 * The sixteen signs as layered drawings in the square [-1, 1]², after the Vienna Convention's patterns
 * (https://unece.org/transport/road-transport/convention-road-signs-and-signals); all shapes are our own.
 */
import { lettering } from './lettering.ts';
import {
  arc,
  both,
  box,
  disc,
  mirrored,
  placed,
  polygon,
  regular,
  type Shape,
  stroke,
  turned,
  union,
} from './shape.ts';

/** The paints of a sign. */
export type Paint = 'white' | 'red' | 'blue' | 'black' | 'yellow';

/** One sign: its outline and the coloured shapes upon it, bottom first. */
export interface Drawing {
  readonly outline: Shape;
  readonly layers: readonly { readonly shape: Shape; readonly paint: Paint }[];
}

const ROUND = disc(0, 0, 0.98);
const UPWARDS = polygon(
  [
    [0, -0.74],
    [0.86, 0.72],
    [-0.86, 0.72],
  ],
  0.12,
);
const UPWARDS_INSIDE = polygon(
  [
    [0, -0.42],
    [0.58, 0.56],
    [-0.58, 0.56],
  ],
  0.04,
);

function prohibition(...symbol: Drawing['layers']): Drawing {
  return {
    outline: ROUND,
    layers: [
      { shape: ROUND, paint: 'white' },
      { shape: disc(0, 0, 0.95), paint: 'red' },
      { shape: disc(0, 0, 0.7), paint: 'white' },
      ...symbol,
    ],
  };
}

function limit(text: string): Drawing {
  const shape = text.length > 2 ? lettering(text, 0.66, 0.125, 0.17) : lettering(text, 0.84, 0.16, 0.24);
  return prohibition({ shape, paint: 'black' });
}

function warning(symbol: Shape): Drawing {
  return {
    outline: UPWARDS,
    layers: [
      { shape: UPWARDS, paint: 'white' },
      { shape: (x, y) => UPWARDS(x, y) + 0.03, paint: 'red' },
      { shape: UPWARDS_INSIDE, paint: 'white' },
      { shape: symbol, paint: 'black' },
    ],
  };
}

function mandatory(symbol: Shape): Drawing {
  return {
    outline: ROUND,
    layers: [
      { shape: ROUND, paint: 'white' },
      { shape: disc(0, 0, 0.94), paint: 'blue' },
      { shape: symbol, paint: 'white' },
    ],
  };
}

function stop(): Drawing {
  const corners = (radius: number) => polygon(regular(8, radius, 22.5));
  return {
    outline: corners(1.02),
    layers: [
      { shape: corners(1.02), paint: 'white' },
      { shape: corners(0.94), paint: 'red' },
      { shape: lettering('STOP', 0.62, 0.13, 0.17), paint: 'white' },
    ],
  };
}

function giveWay(): Drawing {
  const downwards: Shape = (x, y) => UPWARDS(x, -y);
  return {
    outline: downwards,
    layers: [
      { shape: downwards, paint: 'white' },
      { shape: (x, y) => downwards(x, y) + 0.03, paint: 'red' },
      {
        shape: polygon(
          [
            [0, 0.4],
            [0.53, -0.52],
            [-0.53, -0.52],
          ],
          0.04,
        ),
        paint: 'white',
      },
    ],
  };
}

function noEntry(): Drawing {
  return {
    outline: ROUND,
    layers: [
      { shape: ROUND, paint: 'white' },
      { shape: disc(0, 0, 0.94), paint: 'red' },
      { shape: box(0, 0, 0.72, 0.19, 0.03), paint: 'white' },
    ],
  };
}

function noOvertaking(): Drawing {
  const car = union(
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
  return prohibition(
    { shape: placed(car, -0.31, 0, 1.1), paint: 'red' },
    { shape: placed(car, 0.31, 0, 1.1), paint: 'black' },
  );
}

function endOfLimits(): Drawing {
  const stripes = union(...[-0.28, -0.14, 0, 0.14, 0.28].map((at) => box(0, at, 1.2, 0.038)));
  return {
    outline: ROUND,
    layers: [
      { shape: ROUND, paint: 'black' },
      { shape: disc(0, 0, 0.94), paint: 'white' },
      { shape: both(disc(0, 0, 0.94), turned(stripes, -48)), paint: 'black' },
    ],
  };
}

function priorityRoad(): Drawing {
  const diamond = (radius: number, round: number) =>
    polygon(regular(4, radius - round * Math.SQRT2, 0), round);
  return {
    outline: diamond(1.06, 0.08),
    layers: [
      { shape: diamond(1.06, 0.08), paint: 'black' },
      { shape: diamond(1.01, 0.07), paint: 'white' },
      { shape: diamond(0.68, 0.05), paint: 'yellow' },
    ],
  };
}

/** An arrow head at the origin pointing right, one unit long. */
const HEAD = polygon([
  [0.5, 0],
  [-0.5, -0.62],
  [-0.5, 0.62],
]);

function turnRight(): Shape {
  const bend = stroke([[-0.3, 0.62], [-0.3, 0.1], ...arc(-0.08, 0.1, 0.22, 180, 270), [0.2, -0.12]], 0.23);
  return union(bend, placed(HEAD, 0.36, -0.12, 0.52));
}

function roundabout(): Shape {
  const part = union(stroke(arc(0, 0, 0.52, 0, 70), 0.17), placed(turned(HEAD, -85), 0.51, -0.1, 0.38));
  return union(part, turned(part, 120), turned(part, 240));
}

/** A walking person, one unit high, the head at the top. */
const WALKER = union(
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

function pedestrianCrossing(): Drawing {
  const square = box(0, 0, 0.92, 0.92, 0.1);
  const stripes = union(...[-0.42, -0.14, 0.14, 0.42].map((at) => box(at, 0.49, 0.075, 0.075)));
  return {
    outline: square,
    layers: [
      { shape: square, paint: 'white' },
      { shape: box(0, 0, 0.87, 0.87, 0.07), paint: 'blue' },
      {
        shape: polygon(
          [
            [0, -0.68],
            [0.7, 0.62],
            [-0.7, 0.62],
          ],
          0.03,
        ),
        paint: 'white',
      },
      { shape: union(placed(WALKER, 0, 0, 0.78), stripes), paint: 'black' },
    ],
  };
}

function children(): Shape {
  return union(placed(WALKER, -0.13, 0.17, 0.76), placed(WALKER, 0.25, 0.3, 0.52));
}

function roadWorks(): Shape {
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

/** The signs, in class order: the class of a sample is the index here. Frozen: a model's labels depend on it. */
export const SIGNS: readonly { readonly id: string; readonly name: string; readonly drawing: Drawing }[] =
  Object.freeze([
    { id: 'speed-30', name: 'Speed limit 30', drawing: limit('30') },
    { id: 'speed-50', name: 'Speed limit 50', drawing: limit('50') },
    { id: 'speed-80', name: 'Speed limit 80', drawing: limit('80') },
    { id: 'speed-120', name: 'Speed limit 120', drawing: limit('120') },
    { id: 'no-overtaking', name: 'No overtaking', drawing: noOvertaking() },
    { id: 'end-of-limits', name: 'End of all limits', drawing: endOfLimits() },
    { id: 'no-entry', name: 'No entry', drawing: noEntry() },
    { id: 'stop', name: 'Stop', drawing: stop() },
    { id: 'give-way', name: 'Give way', drawing: giveWay() },
    { id: 'priority-road', name: 'Priority road', drawing: priorityRoad() },
    { id: 'turn-right', name: 'Turn right ahead', drawing: mandatory(turnRight()) },
    { id: 'turn-left', name: 'Turn left ahead', drawing: mandatory(mirrored(turnRight())) },
    { id: 'roundabout', name: 'Roundabout', drawing: mandatory(roundabout()) },
    { id: 'pedestrian-crossing', name: 'Pedestrian crossing', drawing: pedestrianCrossing() },
    { id: 'children', name: 'Children', drawing: warning(children()) },
    { id: 'road-works', name: 'Road works', drawing: warning(roadWorks()) },
  ]);
