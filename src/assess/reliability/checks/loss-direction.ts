import type { ReliabilityFacts } from '../facts.ts';
import type { Check } from '../reliability.ts';
import { THRESHOLDS } from '../thresholds.ts';
import { backwards } from '../trace.ts';
import { middleOf, NO_GRADIENTS, percent } from '../wording.ts';

const ABOUT = {
  id: 'loss-direction',
  title: 'Following the gradient raises the loss',
  masking: true,
} as const;

/** Fewest samples that have to stand for a word on their losses. */
const FEWEST = 5;

/**
 * The loss of samples that stood should rise under attack; going up and down by turns it follows no gradient (Pintor et al., "increasing
 * loss" in the first version).
 */
export function lossDirection({ paths }: ReliabilityFacts): Check {
  if (!paths) return { ...ABOUT, verdict: 'unknown', evidence: NO_GRADIENTS };
  const shares = paths
    .filter(({ steps }) => steps === undefined)
    .flatMap(({ losses }) => backwards(losses) ?? []);
  if (shares.length < FEWEST)
    return {
      ...ABOUT,
      verdict: 'unknown',
      evidence: `Too few samples stood with a loss that moved to say (${shares.length} of ${paths.length}).`,
    };
  const middle = middleOf(shares);
  const evidence = `On ${shares.length} samples that stood, ${percent(middle)} of the way of the loss went the wrong way (median; half would be chance).`;
  if (middle < THRESHOLDS.backwards) return { ...ABOUT, verdict: 'good', evidence };
  return {
    ...ABOUT,
    verdict: 'suspicious',
    evidence,
    remedy:
      'Attacks of fixed steps do not converge here: take ones that adapt them (apgd-ce, apgd-dlr), average the gradient for random models, and look for thresholds that switch parts of the network on and off.',
  };
}
