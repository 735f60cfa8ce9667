import type { ReliabilityFacts } from '../facts.ts';
import type { Check } from '../reliability.ts';
import { THRESHOLDS } from '../thresholds.ts';
import { isMany, of } from '../wording.ts';

const ABOUT = { id: 'one-step', title: 'Many steps do better than one', masking: true } as const;

/** An attack of one step should change nothing that those of many steps miss (Athalye et al. 2018). */
export function oneStep({ attacks: { right, oneStep: facts } }: ReliabilityFacts): Check {
  if (!facts)
    return {
      ...ABOUT,
      verdict: 'unknown',
      evidence: 'No attack of one step (fgsm) was run beside one of many.',
    };
  const { fell, missed } = facts;
  const evidence = `One step changed ${of(fell, right)}; ${missed === 0 ? 'none' : missed} of these had escaped attacks of many steps.`;
  if (!isMany(missed, right, THRESHOLDS.missed)) return { ...ABOUT, verdict: 'good', evidence };
  return {
    ...ABOUT,
    verdict: 'suspicious',
    evidence,
    remedy:
      'Steps of the usual length lose their way: the loss is rough or flat near the samples. Use attacks that adapt their steps (apgd-ce, apgd-dlr) with restarts, and attacks without gradients.',
  };
}
