import type { ReliabilityFacts } from '../facts.ts';
import type { Check } from '../reliability.ts';
import { THRESHOLDS } from '../thresholds.ts';
import { isMany, middleOf, NO_SAMPLES, percent, samples } from '../wording.ts';

const ABOUT = { id: 'saturation', title: 'The outputs are not saturated', masking: true } as const;

/**
 * Logits far apart, as a temperature below 1 or defensive distillation makes them: `exp` of the margin leaves float32, and with it the
 * gradient of the cross-entropy (Carlini & Wagner 2017). In nats, margins of 17 already round to a probability of exactly 1. And logits under
 * a ceiling, as a sigmoid, tanh or clipping behind them makes it: many largest outputs are nearly equal, which those of a network never
 * are, and whatever decided between them is in their last digits.
 */
export function saturation({ views, task }: ReliabilityFacts): Check {
  if (task !== 'classification' && task !== 'binary')
    return { ...ABOUT, verdict: 'unknown', evidence: 'The outputs are no logits of classes.' };
  if (!views) return { ...ABOUT, verdict: 'unknown', evidence: 'The logits are not visible.' };
  const n = views.length;
  if (n === 0) return { ...ABOUT, verdict: 'unknown', evidence: NO_SAMPLES };
  const middle = middleOf(views.map((v) => v.margin));
  const highest = Math.max(...views.map((v) => v.top));
  // The highest itself is no crowd.
  const crowd = views.filter((v) => v.top >= highest * (1 - THRESHOLDS.ceiling)).length - 1;
  const isFar = middle >= THRESHOLDS.saturation;
  const isCrowded = isMany(crowd, n - 1, THRESHOLDS.crowd);
  const lead = `Right answers lead by ${middle.toPrecision(2)} nats (median of ${n})`;
  if (!isFar && !isCrowded)
    return { ...ABOUT, verdict: 'good', evidence: `${lead}, and the largest outputs spread.` };
  return {
    ...ABOUT,
    verdict: 'suspicious',
    evidence: [
      ...(isFar ? [`${lead}; from 87 on the gradient of the cross-entropy is zero in 32-bit floats.`] : []),
      ...(isCrowded
        ? [
            `The largest outputs of ${crowd + 1} of ${samples(n)} lie within ${percent(THRESHOLDS.ceiling)} of ${highest.toPrecision(3)}, as if under a ceiling.`,
          ]
        : []),
    ].join(' '),
    remedy: isCrowded
      ? 'Attack the model without what stands behind its logits (a sigmoid, tanh or clipping).'
      : 'Divide the logits by a constant before attacking, or take attacks on differences of logits, which no scale changes (apgd-dlr, apgd-t, fab).',
  };
}
