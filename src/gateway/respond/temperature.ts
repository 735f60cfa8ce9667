import { z } from 'zod';
import type { OutputGuardKind } from '../output-guard.ts';
import { likeliest, restoreLikeliest } from './likeliest.ts';
import { addsUp } from './probabilities.ts';

/** Options of the guard. */
export const temperatureOptions = z.strictObject({
  t: z
    .number({ error: 'a number from 0.05 to 100' })
    .min(0.05, { error: 'a number from 0.05 to 100' })
    .max(100, { error: 'a number from 0.05 to 100' })
    .describe('Temperature: above 1 flattens the scores, below 1 sharpens them.'),
});

/**
 * Scores at another temperature: logits / T, probabilities ∝ p^(1/T). The order stays; rows that do not add up to 1 stay as they
 * are. It hides nothing by itself, because it can be undone by who guesses T; it makes room for rounding to take more away.
 */
export const temperature: OutputGuardKind<z.infer<typeof temperatureOptions>> = {
  name: 'temperature',
  about: 'flattens or sharpens the scores',
  options: temperatureOptions,
  make: ({ t }) => ({
    name: 'temperature',
    shape(scores) {
      const { values, n, classes, gives } = scores;
      const out = new Float32Array(values.length);
      for (let at = 0; at < n * classes; at += classes) {
        const winner = likeliest(values, at, classes);
        if (gives === 'logits') for (let k = 0; k < classes; k++) out[at + k] = values[at + k]! / t;
        else if (!addsUp(values, at, classes)) out.set(values.subarray(at, at + classes), at);
        else {
          const top = Math.log(values[at + winner]!);
          let sum = 0;
          // (p / p_max)^(1/T), so that nothing overflows
          for (let k = 0; k < classes; k++) sum += Math.exp((Math.log(values[at + k]!) - top) / t);
          for (let k = 0; k < classes; k++)
            out[at + k] = Math.exp((Math.log(values[at + k]!) - top) / t) / sum;
        }
        restoreLikeliest(out, at, classes, winner);
      }
      return { ...scores, values: out };
    },
  }),
};
