import { GlacisError } from '../../core/error.ts';
import { randomFrom } from '../../core/random.ts';
import { shuffle } from '../../core/shuffle.ts';

/** Numbers of samples, each in one part only. */
export interface Split {
  readonly fit: Int32Array;
  readonly threshold: Int32Array;
  readonly heldOut: Int32Array;
}

/** Fewest samples that are worth splitting. */
const FEWEST = 40;

/**
 * Splits `n` samples at random: half are held out for measuring; of the other half, half are learnt from and half set thresholds. With `separateFit` nothing is
 * learnt from these samples, and thresholds get the whole other half. The same seed gives the same split. Errors: `data/mismatch` below
 * {@link FEWEST} samples.
 */
export function splitCalm(n: number, seed: number, separateFit: boolean): Split {
  if (n < FEWEST)
    throw new GlacisError('data/mismatch', `calm samples: expected at least ${FEWEST}, got ${n}`);
  const order = Int32Array.from({ length: n }, (_, i) => i);
  shuffle(order, randomFrom(seed, 'calibration'));
  const half = n >> 1;
  const quarter = separateFit ? 0 : half >> 1;
  return {
    fit: order.slice(0, quarter),
    threshold: order.slice(quarter, half),
    heldOut: order.slice(half),
  };
}
