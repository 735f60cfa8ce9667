import { GlacisError } from '../../core/error.ts';
import { wholeFrom } from '../../core/option-checks.ts';
import { defineDefence } from './defence.ts';
import { cropped, withEdge } from './edge.ts';
import { selectionNetwork } from './sorting-network.ts';

/** Options of median smoothing. */
export interface MedianOptions {
  /** Side of the square window, 2 to 7. */
  readonly window: number;
}

/** A window of 8 × 8 would need some 900 comparisons of whole pictures. */
const MOST = 7;

/**
 * Every value becomes the median of the window around it (Xu et al. 2018), exactly: a sorting network of `Min` and `Max` over shifted
 * pictures, whose gradient is that of the pixel that is chosen. Even windows reach one pixel further up and left, and of their two
 * middle values the larger counts, as in SciPy's `median_filter`; pixels at the edge are repeated outwards, where SciPy reflects
 * them, which is the same for windows of 2 and 3.
 */
export const median = defineDefence<MedianOptions>({
  id: 'median',
  title: 'Median smoothing',
  source: 'https://arxiv.org/abs/1704.01155',
  use: 'Takes single pixels away, as sparse attacks change them. It has a gradient, so that attackers go through it.',
  random: false,
  defaults: { window: 3 },
  check(options) {
    wholeFrom(options, 'window', 2);
    if (options.window > MOST)
      throw new GlacisError('option/invalid', `window: expected at most ${MOST}, got ${options.window}`);
  },
  apply(draft, x, { height, width }, { window }) {
    const before = Math.floor(window / 2);
    const after = window - 1 - before;
    const wide = withEdge(draft, x, { top: before, left: before, bottom: after, right: after });
    const places = Array.from({ length: window * window }, (_, i) => {
      const [top, left] = [Math.floor(i / window), i % window];
      return cropped(draft, wide, [top, left, top + height, left + width]);
    });
    const rank = Math.floor(places.length / 2);
    for (const { low, high } of selectionNetwork(places.length, rank)) {
      const pair = [places[low]!, places[high]!];
      places[low] = draft.node('Min', pair);
      places[high] = draft.node('Max', pair);
    }
    return places[rank]!;
  },
});
