import type { Draft } from '../draft.ts';

/** How many rows and columns a border adds. */
export interface Border {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** Pictures `[n, c, h, w]` with the pixels at their edge repeated outwards. */
export function withEdge(draft: Draft, x: string, { top, left, bottom, right }: Border): string {
  if (top + left + bottom + right === 0) return x;
  return draft.node('Pad', [x, draft.ints([0, 0, top, left, 0, 0, bottom, right])], { mode: 'edge' });
}

/** Rows `top` to `bottom` and columns `left` to `right` (exclusive) of pictures `[n, c, h, w]`. */
export function cropped(
  draft: Draft,
  x: string,
  [top, left, bottom, right]: readonly [number, number, number, number],
): string {
  return draft.node('Slice', [x, draft.ints([top, left]), draft.ints([bottom, right]), draft.ints([2, 3])]);
}
