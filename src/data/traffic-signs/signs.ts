/**
 * The sixteen signs as layered drawings in the square [-1, 1]², after the Vienna Convention's patterns
 * (https://unece.org/transport/road-transport/convention-road-signs-and-signals); all shapes are our own.
 */
import { lettering } from './lettering.ts';
import { both, box, disc, mirrored, placed, polygon, regular, type Shape, turned, union } from './shape.ts';
import { CAR, children, roadWorks, roundabout, turnRight, WALKER } from './symbols.ts';

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
  return prohibition(
    { shape: placed(CAR, -0.31, 0, 1.1), paint: 'red' },
    { shape: placed(CAR, 0.31, 0, 1.1), paint: 'black' },
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
