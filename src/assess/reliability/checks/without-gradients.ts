import type { ReliabilityFacts } from '../facts.ts';
import type { Check } from '../reliability.ts';
import { THRESHOLDS } from '../thresholds.ts';
import { isMany, NO_SAMPLES, of } from '../wording.ts';

const ABOUT = {
  id: 'without-gradients',
  title: 'Attacks with gradients do better than those without',
  masking: true,
} as const;

/**
 * Attacks that see no gradient should find nothing that gradient attacks miss (Athalye et al. 2018). A suspicion stands only where gradient
 * attacks still miss it when they try again, harder.
 */
export function withoutGradients({ attacks }: ReliabilityFacts): Check {
  const { right, gradient, withoutGradients: without, missed, again } = attacks;
  if (gradient === undefined || without === undefined)
    return {
      ...ABOUT,
      verdict: 'unknown',
      evidence: `No attack ${gradient === undefined ? 'with' : 'without'} gradients was run to compare with.`,
    };
  if (right === 0) return { ...ABOUT, verdict: 'unknown', evidence: NO_SAMPLES };
  const found = `Attacks with gradients changed ${of(gradient, right)}, those without ${without}; ${missed === 0 ? 'none' : missed} of these had escaped the gradient.`;
  const second = again
    ? ` When gradient attacks tried ${again.tried} of them again, harder, they ${again.missed === 0 ? 'found all' : `still missed ${again.missed}`}.`
    : '';
  const evidence = found + second;
  const left = again && again.tried > 0 ? (missed * again.missed) / again.tried : missed;
  if (!isMany(left, right, THRESHOLDS.missed)) return { ...ABOUT, verdict: 'good', evidence };
  return {
    ...ABOUT,
    verdict: 'suspicious',
    evidence,
    remedy:
      'The gradient hides what is there. Trust only the worst case over all attacks, give those without gradients more queries (square(queries=5000), hop-skip-jump), and attack the model without the layer that hides the gradient.',
  };
}
