import type { ReliabilityFacts } from '../facts.ts';
import type { Check } from '../reliability.ts';
import { THRESHOLDS } from '../thresholds.ts';
import { isMany, samples } from '../wording.ts';

const ABOUT = { id: 'noise', title: 'Noise finds nothing that attacks miss' } as const;

/**
 * Samples that gradient attacks left standing should stand random points of the ball as well (Athalye et al. 2018). Where only attacks
 * without gradients ran, they are what is weak.
 */
export function noise({ noise: facts }: ReliabilityFacts): Check {
  const about = { ...ABOUT, masking: facts?.afterGradients ?? true };
  if (!facts) return { ...about, verdict: 'unknown', evidence: 'No noise was tried in this norm.' };
  const { tried, fell, afterGradients } = facts;
  if (tried === 0)
    return { ...about, verdict: 'good', evidence: 'No sample was left standing that noise could change.' };
  const evidence = `${fell === 0 ? 'None' : fell} of the ${samples(tried)} that stood and were tried fell to 32 random points of the ball.`;
  if (!isMany(fell, tried, THRESHOLDS.noise)) return { ...about, verdict: 'good', evidence };
  return {
    ...about,
    verdict: 'suspicious',
    evidence,
    remedy: afterGradients
      ? 'Gradient attacks that lose to chance do not work here. Attack without gradients, and look for what hides the gradient.'
      : 'Attacks that lose to chance are too weak: give them more queries, or take a higher level.',
  };
}
