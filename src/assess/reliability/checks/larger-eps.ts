import type { ReliabilityFacts } from '../facts.ts';
import type { GradientPath } from '../gradient-path.ts';
import type { Check } from '../reliability.ts';
import { THRESHOLDS } from '../thresholds.ts';
import { isMany, NO_GRADIENTS, NO_SAMPLES, of } from '../wording.ts';

const ABOUT = { id: 'larger-eps', title: 'Accuracy reaches 0 as eps grows', masking: true } as const;

/**
 * With eps as wide as the inputs' range every input is allowed, so that an attack that works leaves nothing standing (Athalye et al. 2018;
 * Pintor et al., "unconstrained attack failure"). Without bounds, radii up to 512 eps stand for it.
 */
export function largerEps({ paths, eased, attacks, ball }: ReliabilityFacts): Check {
  if (!paths) return { ...ABOUT, verdict: 'unknown', evidence: NO_GRADIENTS };
  const n = paths.length;
  if (n === 0) return { ...ABOUT, verdict: 'unknown', evidence: NO_SAMPLES };
  const isBounded = Number.isFinite(ball.bounds[1] - ball.bounds[0]);
  const where = isBounded ? 'where every input is allowed' : 'at 512 times eps';
  const standing = standingIn(paths);
  if (!isMany(standing, n, THRESHOLDS.neverFell))
    return {
      ...ABOUT,
      verdict: 'good',
      evidence: `${standing === 0 ? `All ${n} samples` : of(n - standing, n)} fell to gradient ascent as eps grew.`,
    };
  const still = eased ? standingIn(eased) : undefined;
  const through =
    still === undefined
      ? ''
      : ` With rounding passed straight through ${still === 0 ? 'none does' : `${still} do`}.`;
  return {
    ...ABOUT,
    verdict: isBounded ? 'suspicious' : 'unknown',
    evidence: `Gradient ascent leaves ${of(standing, n)} standing even ${where}.${through}`,
    heeded: attacks.straightThrough && still !== undefined && !isMany(still, n, THRESHOLDS.neverFell),
    remedy:
      'The attack fails, whatever the model is worth: attack without gradients, pass rounding straight through, or leave out the layer that hides the gradient.',
  };
}

const standingIn = (paths: readonly GradientPath[]) => paths.filter((p) => p.fellAt === undefined).length;
