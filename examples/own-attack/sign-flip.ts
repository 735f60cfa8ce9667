// In a project of yours: from 'glacis/attack'.
import { defineSampleAttack } from '../../src/attack/index.ts';

/**
 * An attack of one's own: a random corner of the Linf ball, improved by flipping the signs of a few random values at a time. It only
 * asks for answers, so it runs against an endpoint, too.
 */
export const signFlip = defineSampleAttack({
  id: 'sign-flip',
  title: 'Random sign flips',
  needs: 'scores',
  seeks: 'ball',
  norms: ['linf'],
  source: 'https://www.iana.org/help/example-domains',
  use: 'To show how an attack is written.',
  defaults: { queries: 500, share: 0.05 },
  check() {},
  cost: ({ queries }) => ({ gradients: 0, evaluations: queries }),
  /** The attack of one sample. Whatever it asks about is considered as an example, and the runner checks that again. */
  *talk({ x0, size, ball, rng, answers }, { share }) {
    const random = rng('signs');
    const [low, high] = ball.bounds;
    const moved = (i: number, sign: number) => Math.min(high, Math.max(low, x0[i]! + sign * ball.eps));
    let x = Float32Array.from(x0, (_, i) => moved(i, random.uniform() < 0.5 ? -1 : 1));
    let best = (yield* answers(x)).margins[0]!;
    // The budget of queries ends this loop, and so does the first example that fools the model.
    for (;;) {
      const candidate = x.slice();
      for (let k = 0; k < Math.max(1, share * size); k++) {
        const i = random.integer(size);
        candidate[i] = moved(i, candidate[i]! > x0[i]! ? -1 : 1);
      }
      const margin = (yield* answers(candidate)).margins[0]!;
      if (margin < best) {
        best = margin;
        x = candidate;
      }
    }
  },
});
