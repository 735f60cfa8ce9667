import { z } from 'zod';
import type { OutputGuardKind } from '../output-guard.ts';
import { likeliest, restoreLikeliest } from './likeliest.ts';
import { addsUp, asProbabilities } from './probabilities.ts';

/** Probabilities are kept this far from 0 and 1, where the logit is infinite. */
const EDGE = 1e-9;

/** Options of the guard. */
export const reverseSigmoidOptions = z.strictObject({
  beta: z
    .number({ error: 'a number above 0 and at most 1' })
    .gt(0, { error: 'a number above 0 and at most 1' })
    .max(1, { error: 'a number above 0 and at most 1' })
    .default(1)
    .describe('How strong the change is.'),
  gamma: z
    .number({ error: 'a number above 0 and at most 10' })
    .gt(0, { error: 'a number above 0 and at most 10' })
    .max(10, { error: 'a number above 0 and at most 10' })
    .default(0.1)
    .describe('How fast it grows with the score.'),
});

/**
 * Reverse sigmoid (Lee, Edwards, Molloy, Su 2018, "Defending against machine learning model stealing attacks using deceptive
 * perturbations", https://arxiv.org/abs/1806.00054): ŷ = α (y − β (σ(γ σ⁻¹(y)) − ½)), α so that the row adds up to 1. Many scores
 * lead to nearly the same answer, so a copy that learns from scores learns the wrong slope; one that learns from labels does not
 * notice. Deviation: where the change would alter the class, the two scores change places. Logits become probabilities; rows that
 * do not add up to 1 stay as they are.
 */
export const reverseSigmoid: OutputGuardKind<z.output<typeof reverseSigmoidOptions>> = {
  name: 'reverse-sigmoid',
  about: 'bends the scores so that a copy learns a wrong slope',
  options: reverseSigmoidOptions,
  make: ({ beta, gamma }) => ({
    name: 'reverse-sigmoid',
    shape(given) {
      const scores = asProbabilities(given);
      const { values, n, classes } = scores;
      const out = new Float32Array(values.length);
      for (let at = 0; at < n * classes; at += classes) {
        if (classes < 2 || !addsUp(values, at, classes)) {
          out.set(values.subarray(at, at + classes), at);
          continue;
        }
        let sum = 0;
        for (let k = 0; k < classes; k++) {
          const y = Math.min(1 - EDGE, Math.max(EDGE, values[at + k]!));
          // σ(γ ln(y / (1 − y)))
          const bent = 1 / (1 + ((1 - y) / y) ** gamma);
          out[at + k] = Math.min(1 - EDGE, Math.max(EDGE, y - beta * (bent - 0.5)));
          sum += out[at + k]!;
        }
        for (let k = 0; k < classes; k++) out[at + k]! /= sum;
        restoreLikeliest(out, at, classes, likeliest(values, at, classes));
      }
      return { ...scores, values: out };
    },
  }),
};
