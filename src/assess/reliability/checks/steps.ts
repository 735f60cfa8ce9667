import type { ReliabilityFacts } from '../facts.ts';
import type { Check } from '../reliability.ts';
import { NO_GRADIENTS } from '../wording.ts';

const ABOUT = { id: 'steps', title: 'No step in the graph cuts the gradient', masking: true } as const;

/** Rounding, signs, quantisation and comparisons between input and output: there the gradient ends, whatever it is replaced by. */
export function steps({ obstacles, attacks }: ReliabilityFacts): Check {
  if (!obstacles) return { ...ABOUT, verdict: 'unknown', evidence: NO_GRADIENTS };
  const { stepped, cut } = obstacles;
  if (stepped.length + cut.length === 0)
    return { ...ABOUT, verdict: 'good', evidence: 'There is none between input and output.' };
  const passed = attacks.straightThrough
    ? 'the gradient attacks passed them straight through (BPDA)'
    : 'the gradient attacks did not pass them straight through';
  const kinds = [
    ...(stepped.length > 0 ? [`${stepped.join(', ')}: ${passed}`] : []),
    ...(cut.length > 0
      ? [`${cut.join(', ')} of integers or conditions: no gradient passes, straight through or not`]
      : []),
  ];
  return {
    ...ABOUT,
    verdict: 'suspicious',
    evidence: `Between input and output stand ${kinds.join('; ')}.`,
    heeded: cut.length === 0 && attacks.straightThrough,
    remedy:
      cut.length > 0
        ? 'Attack without gradients, and attack the model with a smooth layer in their place.'
        : 'Attack with rounding=straight-through. A quantised model may well be as robust as it looks: where attacks with and without gradients then agree, nothing was hidden.',
  };
}
