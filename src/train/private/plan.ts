import { GlacisError } from '../../core/error.ts';
import { epsilonFor } from '../../privacy/accountant.ts';
import { noiseFor } from '../../privacy/calibrate.ts';
import { checkDelta, checkEpsilon, checkNoise, checkRate, checkSteps } from '../../privacy/private-run.ts';
import { deltaWarning, type PrivacyStatement } from '../../privacy/statement.ts';
import { type Clipping, clippingOf, gradientNoise } from './clipping.ts';
import type { PrivateTrainOptions } from './options.ts';

/** What a private run does, as far as privacy goes. All of it is public. */
export interface PrivatePlan {
  readonly rate: number;
  /** Expected samples in a step's batch, by which sums are divided. */
  readonly expected: number;
  readonly steps: number;
  /** Noise multiplier that is accounted for. */
  readonly noise: number;
  /** Noise multiplier of the gradients: larger where a part of the budget goes to the count of adaptive clipping. */
  readonly gradientNoise: number;
  readonly clipping: Clipping;
  /** What the whole run promises. */
  readonly statement: PrivacyStatement;
  readonly warnings: readonly string[];
}

/**
 * Plans a run on `n` samples. Cost: about a second for the PLD accountant, some ten of them to calibrate.
 * Errors: `option/invalid` for a rate above 1, epsilon, delta or noise out of range; `privacy/budget`, `privacy/precision`.
 */
export function planPrivately(
  n: number,
  options: Pick<
    PrivateTrainOptions,
    'epsilon' | 'noise' | 'delta' | 'accounting' | 'rate' | 'batch' | 'epochs' | 'clip' | 'signal'
  >,
): PrivatePlan {
  const { epsilon, delta, epochs, signal } = options;
  const where = 'private training';
  if (options.batch !== undefined && options.batch > n)
    throw new GlacisError(
      'option/invalid',
      `${where}: expected a batch of at most all ${n} samples, got ${options.batch}`,
    );
  const rate = options.rate ?? options.batch! / n;
  checkRate(rate, where);
  checkDelta(delta, `${where}: delta`);
  const steps = Math.max(1, Math.round(epochs / rate));
  checkSteps(steps, where);
  if (epsilon !== undefined) checkEpsilon(epsilon, `${where}: epsilon`);
  const accounting = { ...options.accounting, ...(signal ? { signal } : {}) };
  const noise =
    options.noise ?? noiseFor({ rate, steps }, { epsilon: epsilon!, delta }, accounting).run.noise;
  checkNoise(noise, where);
  const expected = rate * n;
  const clipping = clippingOf(options.clip, { expected, noise });
  const warning = deltaWarning(delta, n);
  return {
    rate,
    expected,
    steps,
    noise,
    gradientNoise: gradientNoise(noise, clipping),
    clipping,
    statement: epsilonFor([{ rate, noise, steps }], delta, accounting),
    warnings: warning === undefined ? [] : [warning],
  };
}
