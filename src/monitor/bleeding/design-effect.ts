import { z } from 'zod';

/** Numbers that came together, by one caller or in one hour: which, how many, and their sum. */
export const shareSchema = z.tuple([z.int().min(0), z.number().min(0), z.number().min(0)]);

/** See {@link shareSchema}. */
export type Share = z.output<typeof shareSchema>;

/** Fewest shares beyond what was fitted of which something is said. */
const FEWEST = 10;

/**
 * How much more the mean varies than if all numbers were independent, at least 1: the variance of sums of what came together over that of as many independent numbers. Their number divided by it is the number of independent ones that say as much. 1 where that is within two standard deviations of what chance does, or too little came apart.
 *
 * @param meanOf what is expected of a share
 * @param fitted means that were fitted to the same numbers
 * @see Kish 1965, "Survey sampling"; Liang and Zeger 1986, Biometrika 73
 */
export function designEffect(
  shares: readonly Share[],
  meanOf: (key: number) => number,
  variance: number,
  fitted = 1,
): number {
  const free = shares.length - fitted;
  if (free < FEWEST || !(variance > 1e-9)) return 1;
  let [squares, n] = [0, 0];
  for (const [key, count, total] of shares) {
    squares += (total - count * meanOf(key)) ** 2;
    n += count;
  }
  const effect = ((squares / (n * variance)) * shares.length) / free;
  // χ² with `free` degrees of freedom, over that number, has the variance 2 / free.
  return effect > 1 + 2 * Math.sqrt(2 / free) ? effect : 1;
}
