import type { ReliabilityFacts } from '../facts.ts';
import type { Check } from '../reliability.ts';
import { THRESHOLDS } from '../thresholds.ts';
import { isMany, middleOf, NO_GRADIENTS, NO_SAMPLES, of, samples } from '../wording.ts';

const ABOUT = {
  id: 'local-agreement',
  title: 'The model does what its gradient says',
  masking: true,
} as const;

/**
 * Shattered or misleading gradients (Athalye et al. 2018): around a sample the margin should change as the gradient predicts. Where the
 * gradient is zero or the answers are random it cannot, and that counts here, too. Where an ascent leaves nothing standing, a
 * gradient that is merely bent has hidden nothing: networks with many kinks have one.
 */
export function localAgreement({ views, paths }: ReliabilityFacts): Check {
  if (!views || !paths) return { ...ABOUT, verdict: 'unknown', evidence: NO_GRADIENTS };
  const n = views.length;
  if (n === 0) return { ...ABOUT, verdict: 'unknown', evidence: NO_SAMPLES };
  const middle = middleOf(views.map((v) => v.agreement));
  const standing = paths.filter(({ steps }) => steps === undefined).length;
  const isEnough = isMany(standing, n, THRESHOLDS.missed)
    ? middle >= THRESHOLDS.agreementWhereSomeStand
    : middle >= THRESHOLDS.agreement;
  const evidence = `Around ${samples(n)} the change that the gradient predicts and the one that happens correlate by ${middle.toFixed(2)} (median; 1 is perfect), and ${of(standing, n)} stood gradient ascent.`;
  if (isEnough) return { ...ABOUT, verdict: 'good', evidence };
  return {
    ...ABOUT,
    verdict: 'suspicious',
    evidence,
    remedy:
      'Gradient attacks are led astray here. Average the gradient over points nearby (nes, spsa), attack without gradients, and attack the model without the layer that shatters the gradient.',
  };
}
