import type { Rng } from '../../core/random.ts';
import type { Ball } from '../../threat/norm.ts';
import { eachIn, type Grid, type GridWindow, randomWindow, windowSize } from './square-grid.ts';
import type { SquareProposals } from './square-proposals.ts';

/**
 * What Square Attack tries in linf: every element lies at one of the ball's two ends. It starts from stripes, one random sign for each
 * channel and column; then a square window gets one random sign a channel.
 */
export function signProposals(
  grid: Grid,
  { eps, bounds: [low, high] }: Ball,
  x0: Float32Array,
): SquareProposals {
  const end = (i: number, sign: number) => Math.min(high, Math.max(low, x0[i]! + sign * eps));
  /** Moves a window's elements of one channel to one end; whether that changed any. */
  const fill = (x: Float32Array, channel: number, window: GridWindow, sign: number): boolean => {
    let isOther = false;
    eachIn(grid, channel, window, (i) => {
      const before = x[i]!;
      x[i] = end(i, sign);
      if (x[i] !== before) isOther = true;
    });
    return isOther;
  };
  return {
    start(x, rng) {
      const stripe = { top: 0, height: grid.height, width: 1 };
      for (let c = 0; c < grid.channels; c++)
        for (let left = 0; left < grid.width; left++) fill(x, c, { ...stripe, left }, signFrom(rng));
    },
    change(x, share, rng) {
      const window = randomWindow(grid, windowSize(grid, share, { least: 1, odd: false }), rng);
      let isOther = false;
      for (let c = 0; c < grid.channels; c++) isOther = fill(x, c, window, signFrom(rng)) || isOther;
      return isOther;
    },
  };
}

/** −1 or 1. */
export function signFrom(rng: Rng): number {
  return rng.uniform() < 0.5 ? -1 : 1;
}
