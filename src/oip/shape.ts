import { elementCount } from '../onnx/tensor.ts';
import { fault, kindOf, type Source } from './fault.ts';
import { listFrom } from './json.ts';

/** Dimensions of one tensor. */
const MAX_RANK = 32;

/** A shape as a message states it: whole numbers from `least` (−1 where a dimension may be open, otherwise 0). */
export function shapeFrom(value: unknown, source: Source, place: string, least: -1 | 0): readonly number[] {
  return listFrom(value, source, `${place}shape`, MAX_RANK).map((size) => {
    if (!Number.isSafeInteger(size) || (size as number) < least)
      throw fault(
        source,
        `${place}shape`,
        `whole numbers from ${least}`,
        typeof size === 'number' ? `${size}` : kindOf(size),
      );
    return size as number;
  });
}

/** Elements of a shape; `Infinity` where that is beyond 2⁵³ − 1. Attacker-controlled: compare before allocating. */
export function elementsOf(shape: readonly number[]): number {
  if (shape.includes(0)) return 0;
  const count = elementCount(shape);
  return Number.isSafeInteger(count) ? count : Number.POSITIVE_INFINITY;
}
