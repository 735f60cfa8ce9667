import { z } from 'zod';
import type { OutputGuardKind, Scores } from '../output-guard.ts';
import { likeliest } from './likeliest.ts';

const options = z.strictObject({});

/** The likeliest class as 1 and all others as 0, of logits as well: the row says nothing but the class. */
export const labelOnly: OutputGuardKind<z.infer<typeof options>> = {
  name: 'label-only',
  about: 'tells the class and no score',
  options,
  make: () => ({ name: 'label-only', shape: oneHot }),
};

/** A row of zeros with a one for each sample. */
export function oneHot(scores: Scores): Scores {
  const { values, n, classes } = scores;
  const out = new Float32Array(values.length);
  for (let at = 0; at < n * classes; at += classes) out[at + likeliest(values, at, classes)] = 1;
  return { ...scores, values: out };
}
