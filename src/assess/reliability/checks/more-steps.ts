import type { ReliabilityFacts } from '../facts.ts';
import type { Check } from '../reliability.ts';
import { THRESHOLDS } from '../thresholds.ts';
import { breakPoint } from '../trace.ts';
import { isMany, middleOf, NO_GRADIENTS, NO_SAMPLES, samples } from '../wording.ts';

const ABOUT = { id: 'more-steps', title: 'More steps find no more', masking: false } as const;

/**
 * Attacks that stopped too early (Pintor et al., "incomplete optimization" and "break-point angle"): an ascent of up to 200 steps
 * changes samples that every attack of the assessment left standing. Says that the figures are too high, and nothing about the model.
 */
export function moreSteps({ paths, eased, fallen }: ReliabilityFacts): Check {
  if (!paths) return { ...ABOUT, verdict: 'unknown', evidence: NO_GRADIENTS };
  const n = paths.length;
  if (n === 0) return { ...ABOUT, verdict: 'unknown', evidence: NO_SAMPLES };
  const standing = paths.map((_, i) => i).filter((i) => !fallen[i]);
  const reached = standing.filter(
    (i) => paths[i]!.steps !== undefined || eased?.[i]?.steps !== undefined,
  ).length;
  const corners = paths
    .filter(({ steps }) => steps === undefined)
    .flatMap(({ losses }) => breakPoint(losses) ?? []);
  const settled =
    corners.length > 0
      ? ` How sharply the loss stopped rising where samples stood: ${middleOf(corners).toFixed(2)} (median; 1 at once, 0 never).`
      : '';
  const evidence =
    standing.length === 0
      ? `The attacks had changed all ${samples(n)} that were looked at.`
      : `An ascent of up to 200 steps changed ${reached === 0 ? 'none' : reached} of ${samples(standing.length)} that all attacks had left standing.${settled}`;
  if (!isMany(reached, n, THRESHOLDS.moreSteps)) return { ...ABOUT, verdict: 'good', evidence };
  return {
    ...ABOUT,
    verdict: 'suspicious',
    evidence,
    remedy:
      'Give the attacks more steps or restarts, or take a higher level: pgd(steps=200), apgd-ce(restarts=5), --level standard.',
  };
}
