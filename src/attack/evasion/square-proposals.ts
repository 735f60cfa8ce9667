import type { Rng } from '../../core/random.ts';

/** The points that a random search in one norm tries. */
export interface SquareProposals {
  /** Writes the first point over `x`. */
  start(x: Float32Array, rng: Rng): void;
  /**
   * Changes `x`, the best point so far, into the next one to try; `share` of the elements lie in the window. `false` where nothing
   * changed, so that the model need not be asked.
   */
  change(x: Float32Array, share: number, rng: Rng): boolean;
}
