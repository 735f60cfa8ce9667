import type { Attack } from '../attack.ts';
import { numberIn, wholeFrom } from '../option-checks.ts';
import type { Talk } from '../question.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';
import { gridOf, shareAt } from './square-grid.ts';
import { lengthProposals } from './square-lengths.ts';
import type { SquareProposals } from './square-proposals.ts';
import { signProposals } from './square-signs.ts';

/** Options of Square Attack. */
export interface SquareOptions {
  /** Most queries for one sample, over all restarts. */
  readonly queries: number;
  /** Share of the elements that the first windows cover. */
  readonly pInit: number;
  /** Independent searches, which share the queries. */
  readonly restarts: number;
  /**
   * Stretches the schedule of the windows, published for 10,000 queries, to the queries there are, and draws a window that would change nothing
   * again; AutoAttack does neither.
   */
  readonly rescale: boolean;
}

/** Queries that the schedule of the windows is published for. */
const PUBLISHED = 10_000;

/** Windows that are drawn for one query at most. */
const DRAWS = 20;

/** One search: keeps every point that lowers the margin. */
function* search(
  victim: Victim,
  { start, change }: SquareProposals,
  {
    iterations,
    pInit,
    rescale,
    restart,
  }: Pick<SquareOptions, 'pInit' | 'rescale'> & { readonly iterations: number; readonly restart: number },
): Talk {
  const rng = victim.rng(restart);
  const best = victim.x0.slice();
  start(best, rng);
  let least = (yield* victim.answers(best)).margins[0]!;
  const x = best.slice();
  for (let iteration = 0; iteration < iterations; iteration++) {
    x.set(best);
    const at = rescale ? Math.floor((iteration / iterations) * PUBLISHED) : iteration;
    const share = shareAt(at, pInit);
    let isOther = change(x, share, rng);
    for (let draw = 1; rescale && !isOther && draw < DRAWS; draw++) isOther = change(x, share, rng);
    if (!isOther) continue;
    const margin = (yield* victim.answers(x)).margins[0]!;
    if (!(margin < least)) continue;
    least = margin;
    best.set(x);
  }
}

/**
 * Square Attack (Andriushchenko et al. 2020): random search with windows that shrink on the published schedule, keeping what lowers the
 * goal's margin. It sees scores only. The clean sample is asked about first. Samples that are no pictures are one row, in which a
 * window is a run of elements.
 * The schedule is stretched to the budget as in the authors' first code; AutoAttack takes it as it is, which suits 10,000 queries
 * (`rescale=false`). Deviations from AutoAttack's code: every sample draws windows of its own, where a batch shares them there; a window may
 * lie anywhere, where the last row and column are never reached there; the model is not asked where nothing would change.
 * Cost: at most `queries` answers.
 */
export const square: Attack<SquareOptions> = defineSampleAttack({
  id: 'square',
  title: 'Square Attack',
  needs: 'scores',
  seeks: 'ball',
  norms: ['linf', 'l2', 'l1'],
  source: 'https://arxiv.org/abs/1912.00049',
  use: 'The first attack without gradients: no gradient masking misleads it, and it works on endpoints that answer scores.',
  defaults: { queries: 5000, pInit: 0.8, restarts: 1, rescale: true },
  check(options) {
    wholeFrom(options, 'queries', 1);
    wholeFrom(options, 'restarts', 1);
    numberIn(options, 'pInit', 0, 1);
  },
  cost: ({ queries }) => ({ gradients: 0, evaluations: queries }),
  *talk(victim, { queries, pInit, restarts, rescale }) {
    const { x0, size, ball, image } = victim;
    yield* victim.answers(x0.slice());
    const grid = gridOf(image, size);
    const proposals = ball.norm === 'linf' ? signProposals(grid, ball, x0) : lengthProposals(grid, ball, x0);
    const iterations = Math.floor((queries - 1) / restarts) - 1;
    for (let restart = 0; restart < restarts; restart++)
      yield* search(victim, proposals, { iterations, pInit, rescale, restart });
  },
});
