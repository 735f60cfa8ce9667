import type { ReliabilityFacts } from '../facts.ts';
import type { Check } from '../reliability.ts';
import { THRESHOLDS } from '../thresholds.ts';
import { isMany, samples } from '../wording.ts';

const ABOUT = {
  id: 'transfer',
  title: 'Examples from another model find nothing that this one’s gradient misses',
  masking: true,
} as const;

/** Examples made with another model's gradient should do no better than those made with the model's own (Athalye et al. 2018; Pintor et al.). */
export function transfer({ attacks: { transfer: facts } }: ReliabilityFacts): Check {
  if (!facts) return { ...ABOUT, verdict: 'unknown', evidence: 'No other model was given.' };
  const { tried, missed } = facts;
  if (tried === 0)
    return { ...ABOUT, verdict: 'good', evidence: 'No sample was left standing that could be tried.' };
  const evidence = `Examples made on another model changed ${missed === 0 ? 'none' : missed} of the ${samples(tried)} that this model's own gradient had left standing.`;
  if (!isMany(missed, tried, THRESHOLDS.missed)) return { ...ABOUT, verdict: 'good', evidence };
  return {
    ...ABOUT,
    verdict: 'suspicious',
    evidence,
    remedy: 'Attack through the other model, and attack this one without the layer that hides the gradient.',
  };
}
