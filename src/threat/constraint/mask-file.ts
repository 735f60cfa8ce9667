import { GlacisError } from '../../core/error.ts';
import type { Constraint } from '../constraint.ts';
import { imageDimsOf } from '../image-dims.ts';
import { list, number, object, optional, type Read, required, text } from './json.ts';
import { mask } from './mask.ts';

/** An array of a file: 0 and 1, row-major. */
export interface MaskValues {
  readonly values: ArrayLike<number>;
  readonly shape: readonly number[];
}

/** Opens a mask by the path that a constraint file names. */
export type OpenMask = (path: string) => Promise<MaskValues>;

interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/**
 * Reads `{ "type": "mask", "file": … }` or `{ "type": "mask", "boxes": […] }` for samples of `shape`.
 * Errors: `option/invalid`, `option/unknown`, `data/mismatch` (no picture, a box outside it, a mask of another shape), those of `open`.
 */
export async function readMask(
  value: unknown,
  where: string,
  shape: readonly number[],
  open: OpenMask | undefined,
): Promise<Constraint> {
  const given = object(value, where, ['type', 'file', 'boxes']);
  const file = optional(given, 'file', where, text);
  const boxes = optional(given, 'boxes', where, list(box));
  if ((file === undefined) === (boxes === undefined))
    throw new GlacisError(
      'option/invalid',
      `${where}: expected a key 'file' or 'boxes', got ${file === undefined ? 'none' : 'both'}`,
    );
  if (boxes) return mask(...boxMask(boxes, where, shape), shape);
  if (!open)
    throw new GlacisError(
      'option/invalid',
      `${where}.file: expected boxes, because no files can be read here, got a file`,
    );
  const { values, shape: stored } = await open(file!);
  return mask(values, stored, shape);
}

const box: Read<Box> = (value, where) => {
  const given = object(value, where, ['top', 'left', 'height', 'width']);
  const whole = (key: string, least: number) => {
    const found = required(given, key, where, number);
    if (Number.isInteger(found) && found >= least) return found;
    throw new GlacisError(
      'option/invalid',
      `${where}.${key}: expected a whole number of at least ${least}, got ${found}`,
    );
  };
  return {
    top: whole('top', 0),
    left: whole('left', 0),
    height: whole('height', 1),
    width: whole('width', 1),
  };
};

/** 1 inside the boxes, `[height, width]`, repeated over the channels of the picture. */
function boxMask(boxes: readonly Box[], where: string, shape: readonly number[]): [Uint8Array, number[]] {
  const image = imageDimsOf(shape);
  if (!image)
    throw new GlacisError(
      'data/mismatch',
      `${where}.boxes: expected samples that are pictures, got the shape [${shape.join(', ')}]`,
    );
  const { height, width, layout } = image;
  const values = new Uint8Array(height * width);
  for (const [i, b] of boxes.entries()) {
    if (b.top + b.height > height || b.left + b.width > width)
      throw new GlacisError(
        'data/mismatch',
        `${where}.boxes[${i}]: expected a box within ${height} rows and ${width} columns, got one that leaves them`,
      );
    for (let y = b.top; y < b.top + b.height; y++)
      values.fill(1, y * width + b.left, y * width + b.left + b.width);
  }
  if (shape.length === 2) return [values, [height, width]];
  return [values, layout === 'chw' ? [1, height, width] : [height, width, 1]];
}
