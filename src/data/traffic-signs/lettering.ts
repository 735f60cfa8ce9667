/** The few digits and letters the signs need, as pen strokes of our own (no font). */
import { arc, type Point, placed, type Shape, stroke, union } from './shape.ts';

/** Each character's strokes in a box one unit high around the origin, and its half width. */
const GLYPHS: Readonly<
  Record<string, { readonly half: number; readonly strokes: readonly (readonly Point[])[] }>
> = {
  '0': { half: 0.27, strokes: [oval()] },
  '1': {
    half: 0.15,
    strokes: [
      [
        [-0.15, -0.3],
        [0.07, -0.5],
        [0.07, 0.5],
      ],
    ],
  },
  '2': { half: 0.27, strokes: [[...arc(0, -0.24, 0.26, -170, 35), [-0.26, 0.5], [0.28, 0.5]]] },
  '3': { half: 0.27, strokes: [[...arc(-0.02, -0.26, 0.24, -160, 80), ...arc(-0.02, 0.23, 0.28, -85, 155)]] },
  '5': {
    half: 0.27,
    strokes: [[[0.23, -0.5], [-0.2, -0.5], [-0.24, -0.02], ...arc(-0.03, 0.2, 0.29, -120, 150)]],
  },
  '8': { half: 0.27, strokes: [arc(0, -0.26, 0.23, 0, 360), arc(0, 0.23, 0.27, 0, 360)] },
  O: { half: 0.27, strokes: [oval()] },
  P: {
    half: 0.25,
    strokes: [[[-0.22, 0.5], [-0.22, -0.5], ...arc(0.02, -0.23, 0.26, -85, 85), [-0.2, 0.04]]],
  },
  S: { half: 0.25, strokes: [[...arc(0, -0.25, 0.25, -20, -260), ...arc(0, 0.25, 0.25, -80, 160)]] },
  T: {
    half: 0.25,
    strokes: [
      [
        [-0.25, -0.5],
        [0.25, -0.5],
      ],
      [
        [0, -0.5],
        [0, 0.5],
      ],
    ],
  },
};

function oval(): Point[] {
  return [...arc(0, -0.24, 0.26, 180, 360), ...arc(0, 0.24, 0.26, 0, 180), [-0.26, -0.24]];
}

/**
 * `text` centred on the origin, pen strokes as one shape. `height` and `pen` (stroke width) are in the sign's units;
 * `gap` is the clear space between two characters' centre lines. Only the characters that the signs use exist.
 */
export function lettering(text: string, height: number, pen: number, gap: number): Shape {
  const glyphs = [...text].map((character) => GLYPHS[character]!);
  const scale = height - pen;
  const width = glyphs.reduce((sum, glyph) => sum + 2 * glyph.half * scale, gap * (glyphs.length - 1));
  let left = -width / 2;
  const parts = glyphs.map((glyph) => {
    const centre = left + glyph.half * scale;
    left = centre + glyph.half * scale + gap;
    return placed(union(...glyph.strokes.map((points) => stroke(points, pen / scale))), centre, 0, scale);
  });
  return union(...parts);
}
