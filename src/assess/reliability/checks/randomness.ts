import type { ReliabilityFacts } from '../facts.ts';
import type { Check } from '../reliability.ts';
import { THRESHOLDS } from '../thresholds.ts';
import { percent } from '../wording.ts';

const ABOUT = { id: 'randomness', title: 'The same input gets the same answer', masking: true } as const;

/** Random operators on the way, and answers that differ from run to run (Pintor et al., "unstable predictions"; Athalye et al. 2018). */
export function randomness({ obstacles, views, randomised, attacks }: ReliabilityFacts): Check {
  const random = obstacles?.random ?? [];
  const gap = Math.max(0, ...(views ?? []).map((v) => v.gap));
  const signs = [
    ...(random.length > 0 ? [`the graph draws random numbers (${random.join(', ')})`] : []),
    ...(gap > THRESHOLDS.gap
      ? [`margins differed by up to ${percent(Math.min(1, gap))} between two runs`]
      : []),
    ...(randomised ? ['runs of the deployed model gave different outputs'] : []),
  ];
  if (signs.length === 0)
    return {
      ...ABOUT,
      verdict: 'good',
      evidence: 'Repeated answers agreed, and nothing in the graph is random.',
    };
  return {
    ...ABOUT,
    verdict: 'suspicious',
    evidence: `The model answers at random: ${signs.join('; ')}.`,
    heeded: attacks.averaged,
    remedy:
      'An attacker averages over answers, or asks until one is wrong: average the gradient (autoattack(version=rand)) and assess the model with its randomness switched off. Smoothing that is meant to be random has a certificate of its own.',
  };
}
