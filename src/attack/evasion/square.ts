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
}

/** One search: keeps every point that lowers the margin. */
function* search(
  victim: Victim,
  { start, change }: SquareProposals,
  {
    iterations,
    pInit,
    restart,
  }: { readonly iterations: number; readonly pInit: number; readonly restart: number },
): Talk {
  const rng = victim.rng(restart);
  const best = victim.x0.slice();
  start(best, rng);
  let least = (yield* victim.answers(best)).margins[0]!;
  const x = best.slice();
  for (let iteration = 0; iteration < iterations; iteration++) {
    x.set(best);
    if (!change(x, shareAt(iteration, pInit), rng)) continue;
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
 * Deviations from the code in AutoAttack, with its schedule as it is there (not stretched to the budget): every sample draws windows of its
 * own, where a batch shares them there; a window may lie anywhere, where the last row and column are never reached there; an
 * iteration that would change nothing counts, but the model is not asked.
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
  defaults: { queries: 5000, pInit: 0.8, restarts: 1 },
  check(options) {
    wholeFrom(options, 'queries', 1);
    wholeFrom(options, 'restarts', 1);
    numberIn(options, 'pInit', 0, 1);
  },
  cost: ({ queries }) => ({ gradients: 0, evaluations: queries }),
  *talk(victim, { queries, pInit, restarts }) {
    const { x0, size, ball, image } = victim;
    yield* victim.answers(x0.slice());
    const grid = gridOf(image, size);
    const proposals = ball.norm === 'linf' ? signProposals(grid, ball, x0) : lengthProposals(grid, ball, x0);
    const iterations = Math.floor((queries - 1) / restarts) - 1;
    for (let restart = 0; restart < restarts; restart++)
      yield* search(victim, proposals, { iterations, pInit, restart });
  },
});
