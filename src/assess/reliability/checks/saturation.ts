import type { ReliabilityFacts } from '../facts.ts';
import type { Check } from '../reliability.ts';
import { THRESHOLDS } from '../thresholds.ts';
import { middleOf, NO_SAMPLES } from '../wording.ts';

const ABOUT = { id: 'saturation', title: 'The outputs are not saturated', masking: true } as const;

/**
 * Logits far apart, as a temperature below 1 or defensive distillation makes them: `exp` of the margin leaves float32, and with it the
 * gradient of the cross-entropy (Carlini & Wagner 2017). In nats, margins of 17 already round to a probability of exactly 1.
 */
export function saturation({ views, task }: ReliabilityFacts): Check {
  if (task !== 'classification' && task !== 'binary')
    return { ...ABOUT, verdict: 'unknown', evidence: 'The outputs are no logits of classes.' };
  if (!views) return { ...ABOUT, verdict: 'unknown', evidence: 'The logits are not visible.' };
  if (views.length === 0) return { ...ABOUT, verdict: 'unknown', evidence: NO_SAMPLES };
  const middle = middleOf(views.map((v) => v.margin));
  const evidence = `Right answers lead by ${middle.toPrecision(2)} nats (median of ${views.length}); from 87 on the gradient of the cross-entropy is zero in 32-bit floats.`;
  if (middle < THRESHOLDS.saturation) return { ...ABOUT, verdict: 'good', evidence };
  return {
    ...ABOUT,
    verdict: 'suspicious',
    evidence,
    remedy:
      'Divide the logits by a constant before attacking, or take attacks on differences of logits, which no scale changes (apgd-dlr, apgd-t, fab).',
  };
}
