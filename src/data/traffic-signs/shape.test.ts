import { describe, expect, it } from 'vitest';
import { arc, box, coverage, disc, placed, polygon, regular, stroke, turned } from './shape.ts';

describe('shapes', () => {
  it('measure the distance to a disc, a box and a stroke', () => {
    expect(disc(1, 0, 2)(1, 5)).toBe(3);
    expect(box(0, 0, 2, 1)(5, 5)).toBe(5);
    expect(box(0, 0, 2, 1)(0, 0)).toBe(-1);
    expect(stroke([[0, 0], [4, 0]], 1)(2, 3)).toBe(2.5); // biome-ignore format: points read better in a row
  });

  it('measure the distance to a polygon, whichever way its corners turn', () => {
    const square = [[-1, -1], [1, -1], [1, 1], [-1, 1]] as const; // biome-ignore format: points read better in a row
    for (const corners of [square, [...square].reverse()]) {
      expect(polygon(corners)(0, 0)).toBe(-1);
      expect(polygon(corners)(4, 5)).toBe(5);
    }
  });

  it('keep their distances when moved, scaled and turned', () => {
    expect(placed(disc(0, 0, 1), 3, 0, 2)(8, 0)).toBe(3);
    expect(turned(disc(1, 0, 0.5), 90)(0, 1)).toBeCloseTo(-0.5, 9);
  });

  it('put arcs and regular polygons on their circle', () => {
    for (const [x, y] of [...arc(0, 0, 2, -100, 200), ...regular(8, 2, 22.5)]) {
      expect(x * x + y * y).toBeCloseTo(4, 9);
    }
  });

  it('cover a pixel by half where an edge passes through its centre', () => {
    expect([-1, 0, 1].map((distance) => coverage(distance, 1))).toEqual([1, 0.5, 0]);
  });
});
