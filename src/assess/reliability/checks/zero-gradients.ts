import type { ReliabilityFacts } from '../facts.ts';
import type { Check } from '../reliability.ts';
import { THRESHOLDS } from '../thresholds.ts';
import { isMany, NO_GRADIENTS, NO_SAMPLES, of } from '../wording.ts';

const ABOUT = { id: 'zero-gradients', title: 'There is a gradient to follow', masking: true } as const;

/**
 * Gradients that are zero or not finite, of the goal's loss or of the margin, at the samples or on most of the way of an ascent: attacks
 * that follow them go nowhere (Pintor et al. 2022, "unavailable gradients").
 */
export function zeroGradients({ views, paths, eased, attacks }: ReliabilityFacts): Check {
  if (!views) return { ...ABOUT, verdict: 'unknown', evidence: NO_GRADIENTS };
  const n = views.length;
  if (n === 0) return { ...ABOUT, verdict: 'unknown', evidence: NO_SAMPLES };
  const counts: readonly (readonly [number, string])[] = [
    [views.filter((v) => v.zeroLoss).length, 'the gradient of the loss is zero in every element'],
    [views.filter((v) => v.zeroMargin).length, 'the gradient of the margin is zero in every element'],
    [views.filter((v) => v.notFinite).length, 'the gradient holds values that are no numbers'],
    [isBlind(paths).length, 'an attack found no gradient on most of its way'],
  ];
  const most = Math.max(...counts.map(([count]) => count));
  if (!isMany(most, n, THRESHOLDS.zeroGradients))
    return {
      ...ABOUT,
      verdict: 'good',
      evidence: most === 0 ? `There is one for all ${n} samples.` : `It is missing for ${of(most, n)} only.`,
    };
  const seeing = (eased?.length ?? 0) - isBlind(eased).length;
  const signs = counts.filter(([count]) => count > 0).map(([count, what]) => `for ${of(count, n)} ${what}`);
  return {
    ...ABOUT,
    verdict: 'suspicious',
    evidence:
      `${signs.join('; ')}.${seeing > 0 ? ` With rounding passed straight through there is a gradient for ${of(seeing, n)}.` : ''}`.replace(
        /^f/,
        'F',
      ),
    heeded: attacks.straightThrough && seeing === n,
    remedy:
      seeing > 0
        ? 'Attack with rounding=straight-through.'
        : 'Attack without gradients (square, hop-skip-jump). Attack the model without the layer that hides the gradient, too: leave it out, or put a smooth one in its place.',
  };
}

function isBlind(paths: ReliabilityFacts['paths']) {
  return (paths ?? []).filter((path) => path.blind > 0.5);
}
