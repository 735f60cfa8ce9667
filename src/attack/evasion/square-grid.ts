import type { Rng } from '../../core/random.ts';
import type { ImageDims } from '../../threat/image-dims.ts';

/** The elements of a sample as channels of rows and columns; windows are cut from it. */
export interface Grid {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Distance in the sample from one channel, row and column to the next. */
  readonly perChannel: number;
  readonly perRow: number;
  readonly perColumn: number;
}

/** A rectangle of a grid, in all channels. */
export interface GridWindow {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** The grid of a picture; a sample that is none (a table's row, a series) is one row of one channel. */
export function gridOf(image: ImageDims | undefined, size: number): Grid {
  if (!image) return { channels: 1, height: 1, width: size, perChannel: size, perRow: size, perColumn: 1 };
  const { channels, height, width, layout } = image;
  return layout === 'chw'
    ? { channels, height, width, perChannel: height * width, perRow: width, perColumn: 1 }
    : { channels, height, width, perChannel: 1, perRow: width * channels, perColumn: channels };
}

/** Visits a window's elements of one channel, row by row: index in the sample, number in the window, row and column in the grid. */
export function eachIn(
  { perChannel, perRow, perColumn }: Grid,
  channel: number,
  { top, left, height, width }: GridWindow,
  visit: (i: number, k: number, row: number, column: number) => void,
): void {
  let k = 0;
  for (let row = top; row < top + height; row++)
    for (let column = left; column < left + width; column++)
      visit(channel * perChannel + row * perRow + column * perColumn, k++, row, column);
}

/** Whether a window covers a place. */
export function covers({ top, left, height, width }: GridWindow, row: number, column: number): boolean {
  return row >= top && row < top + height && column >= left && column < left + width;
}

/**
 * Height and width of a window that covers the share `p` of the grid: a square of `round(√(p · h · w))`, at least `least` and odd where asked,
 * at most the shorter side; in a single row `round(p · w)` elements.
 */
export function windowSize(
  { height, width }: Grid,
  p: number,
  { least, odd }: { readonly least: number; readonly odd: boolean },
): { readonly height: number; readonly width: number } {
  const area = p * height * width;
  let side = Math.max(roundHalfEven(height === 1 ? area : Math.sqrt(area)), least);
  if (odd && side % 2 === 0) side++;
  if (height === 1) return { height: 1, width: Math.min(side, width) };
  side = Math.min(side, height, width);
  return { height: side, width: side };
}

/** A place for a window, every one that it fits in as likely as the others. */
export function randomWindow(
  grid: Grid,
  { height, width }: { readonly height: number; readonly width: number },
  rng: Rng,
): GridWindow {
  const top = rng.integer(grid.height - height + 1);
  const left = rng.integer(grid.width - width + 1);
  return { top, left, height, width };
}

/** The published schedule: the share of the elements that a window covers, as the iterations go on. */
export function shareAt(iteration: number, pInit: number): number {
  const ends = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];
  const halvings = ends.findIndex((end) => iteration <= end);
  return pInit / 2 ** (halvings < 0 ? ends.length : halvings);
}

/** As Python rounds, which the published code is written in. */
function roundHalfEven(v: number): number {
  const floor = Math.floor(v);
  if (v - floor !== 0.5) return Math.round(v);
  return floor % 2 === 0 ? floor : floor + 1;
}
