import type { ReliabilityFacts } from '../facts.ts';
import type { Check } from '../reliability.ts';
import { THRESHOLDS } from '../thresholds.ts';
import { isMany, NO_GRADIENTS, of, percent } from '../wording.ts';

const ABOUT = {
  id: 'hidden-slope',
  title: 'The gradient is as large as the fall that follows',
  masking: true,
} as const;

/** Fewest samples that have to fall for a word on them. */
const FEWEST = 8;

/**
 * Flat starts: where a sample falls within some radius, its gradient times that radius should be about its margin. Saturated layers keep
 * the gradient's direction and take its size, so that attacks find the way late or not at all.
 */
export function hiddenSlope({ views, paths }: ReliabilityFacts): Check {
  if (!views || !paths) return { ...ABOUT, verdict: 'unknown', evidence: NO_GRADIENTS };
  const promised = paths.flatMap(({ fellAt }, i) => {
    const { slope, margin } = views[i]!;
    return fellAt === undefined || !(margin > 0) ? [] : [(slope * fellAt) / margin];
  });
  const n = promised.length;
  if (n < FEWEST)
    return {
      ...ABOUT,
      verdict: 'unknown',
      evidence: `Too few samples fell to say (${of(n, paths.length)}).`,
    };
  const flat = promised.filter((share) => !(share >= THRESHOLDS.flat)).length;
  const evidence = `Of ${n} samples that fell, ${flat === 0 ? 'none' : flat} had a gradient that promised less than ${percent(THRESHOLDS.flat)} of the fall.`;
  if (!isMany(flat, n, THRESHOLDS.flatStarts)) return { ...ABOUT, verdict: 'good', evidence };
  return {
    ...ABOUT,
    verdict: 'suspicious',
    evidence,
    remedy:
      'Look for saturated layers (a steep sigmoid or tanh, in front of the output above all) and attack the model without them; try attacks on the margin (apgd-dlr, fab) and without gradients.',
  };
}
