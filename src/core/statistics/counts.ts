import { GlacisError } from '../error.ts';

/** Beyond this many trials the continued fraction behind the exact figures would take too long. */
const MOST = 1e9;

/** Throws `option/invalid` unless `n` is a whole number from 0 to 10⁹ and `successes` one from 0 to `n`. */
export function requireCounts(where: string, successes: number, n: number): void {
  if (!Number.isInteger(n) || n < 0 || n > MOST)
    throw new GlacisError('option/invalid', `${where}: expected n to be a whole number up to 1e9, got ${n}`);
  if (!Number.isInteger(successes) || successes < 0 || successes > n)
    throw new GlacisError(
      'option/invalid',
      `${where}: expected successes between 0 and ${n}, got ${successes}`,
    );
}

/** Throws `option/invalid` unless `confidence` lies strictly between 0 and 1. */
export function requireConfidence(where: string, confidence: number): void {
  if (!(confidence > 0 && confidence < 1))
    throw new GlacisError(
      'option/invalid',
      `${where}: expected a confidence between 0 and 1, got ${confidence}`,
    );
}
