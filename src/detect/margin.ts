import { z } from 'zod';
import { defineDetector } from './detector.ts';
import { likeliest } from './likeliest.ts';

/**
 * How little the likeliest class is ahead of the next: the second highest score less the highest, as log probabilities where the model gives probabilities. Attacks that
 * stop at the nearest wrong answer, and searches that walk along a decision boundary, are here all the time; an attacker who goes on until the model is sure is not.
 * It learns nothing. Cost: one pass over the scores.
 */
export const margin = defineDetector<Record<string, never>>({
  id: 'margin',
  needs: 'scores',
  kept: z.strictObject({}),
  fit: () => ({}),
  open(_, { classes, gives }) {
    return ({ n, scores }) => {
      const best = likeliest(scores, n, classes);
      return Float64Array.from({ length: n }, (_, i) => {
        const from = i * classes;
        let next = Number.NEGATIVE_INFINITY;
        for (let k = 0; k < classes; k++)
          if (k !== best[i] && !(scores[from + k]! <= next)) next = scores[from + k]!;
        const most = scores[from + best[i]!]!;
        // A probability of 0 has no logarithm; the least normal number stands for it.
        return gives === 'logits' ? next - most : Math.log(Math.max(next, 2 ** -126)) - Math.log(most);
      });
    };
  },
});
