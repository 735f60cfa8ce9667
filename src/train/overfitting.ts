import type { Measured } from './probe.ts';

/** Robust accuracy has to have been this high for its loss to mean anything. */
const LEARNED = 0.1;

/**
 * Whether training on single-step attacks has overfitted catastrophically (Wong et al. 2020; Andriushchenko & Flammarion 2020): accuracy under
 * PGD has fallen below half of its best, while accuracy under FGSM, which training looks at, has not.
 *
 * @param past measured after each earlier epoch, on the same samples
 */
export function isCatastrophic(past: readonly Measured[], now: Measured): boolean {
  const best = (of: 'robust' | 'fgsm') => Math.max(0, ...past.map((each) => each[of] ?? 0));
  if (now.robust === undefined || now.fgsm === undefined) return false;
  return (
    best('robust') >= LEARNED &&
    now.robust < best('robust') / 2 &&
    now.fgsm > best('fgsm') / 2 &&
    now.fgsm > 2 * now.robust
  );
}
