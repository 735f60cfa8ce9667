import { z } from 'zod';
import type { OutputGuardKind, Scores } from '../output-guard.ts';

/** Below the least logit that is told: e⁻¹⁰⁰ of it, and in the range of 16-bit floats. */
const FAR_BELOW = 100;

const options = z.strictObject({
  k: z
    .int({ error: 'a whole number of 1 or more' })
    .min(1, { error: 'a whole number of 1 or more' })
    .describe('Classes whose scores are told.'),
});

/**
 * The scores of the `k` likeliest classes (the first of equals); others are 0, of logits 100 below the least that is told. Scores
 * keep their value and do not add up to 1 any more: stretched, they would tell less of how sure the model is and no less of the
 * classes.
 */
export const topK: OutputGuardKind<z.infer<typeof options>> = {
  name: 'top-k',
  about: 'tells the scores of the likeliest classes alone',
  options,
  make: ({ k }) => ({ name: 'top-k', shape: (scores) => likeliestOnly(scores, k) }),
};

/** Leaves the `k` likeliest classes of each row. */
export function likeliestOnly(scores: Scores, k: number): Scores {
  const { values, n, classes, gives } = scores;
  if (k >= classes) return scores;
  const out = new Float32Array(values.length);
  const chosen = new Int32Array(k);
  for (let at = 0; at < n * classes; at += classes) {
    choose(values, at, classes, chosen);
    if (gives === 'logits') out.fill(values[at + chosen[k - 1]!]! - FAR_BELOW, at, at + classes);
    for (const c of chosen) out[at + c] = values[at + c]!;
  }
  return { ...scores, values: out };
}

/** The likeliest classes, falling, by insertion: `k` is small. */
function choose(values: Float32Array, at: number, classes: number, chosen: Int32Array): void {
  let filled = 0;
  for (let c = 0; c < classes; c++) {
    const value = values[at + c]!;
    if (filled === chosen.length && value <= values[at + chosen[filled - 1]!]!) continue;
    let to = filled < chosen.length ? filled++ : filled - 1;
    for (; to > 0 && value > values[at + chosen[to - 1]!]!; to--) chosen[to] = chosen[to - 1]!;
    chosen[to] = c;
  }
}
