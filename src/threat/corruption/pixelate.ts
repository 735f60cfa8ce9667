import type { Corruption } from './corruption.ts';
import { eachPlane } from './planes.ts';
import { parametersFor, type SeverityTable } from './severity.ts';

/** What is left of each side's pixels. */
const PIXELS: SeverityTable = {
  cifar: [[0.95], [0.9], [0.85], [0.75], [0.65]],
  tinyImageNet: [[0.9], [0.8], [0.7], [0.6], [0.5]],
  imageNet: [[0.6], [0.5], [0.4], [0.3], [0.25]],
};

/**
 * Enlarged from too few pixels: reduced to means of whole pixels, then each of these repeated, as Pillow's `BOX` filter does.
 * Without its rounding to 8 bits. At least one pixel stays, so a picture of one pixel does not change.
 */
export const pixelate: Corruption = {
  id: 'pixelate',
  title: 'Pixelate',
  family: 'digital',
  distort(picture, severity) {
    const { height, width } = picture;
    const [left] = parametersFor(PIXELS, picture, severity);
    const rows = boxes(height, left!);
    const columns = boxes(width, left!);
    return eachPlane(picture, (plane) => {
      const few = Float64Array.from({ length: rows.length * columns.length }, (_, i) => {
        const [top, bottom] = rows[Math.floor(i / columns.length)]!;
        const [first, end] = columns[i % columns.length]!;
        let sum = 0;
        for (let y = top; y < bottom; y++) for (let x = first; x < end; x++) sum += plane[y * width + x]!;
        return sum / ((bottom - top) * (end - first));
      });
      return plane.map((_, i) => {
        const row = Math.floor(((Math.floor(i / width) + 0.5) * rows.length) / height);
        const column = Math.floor((((i % width) + 0.5) * columns.length) / width);
        return few[row * columns.length + column]!;
      });
    });
  },
};

/** The whole pixels `[first, end)` that each of the fewer ones is the mean of. */
function boxes(size: number, left: number): readonly (readonly [first: number, end: number])[] {
  // The product falls short of whole numbers by rounding: 224 × 0.25 must stay 56.
  const count = Math.max(1, Math.floor(size * left + 1e-9));
  const scale = size / count;
  return Array.from({ length: count }, (_, i) => {
    // A pixel counts if its middle lies in the box: (i · scale, (i + 1) · scale].
    const first = Math.floor(i * scale + 0.5);
    return [first, Math.min(size, Math.floor((i + 1) * scale + 0.5))];
  });
}
