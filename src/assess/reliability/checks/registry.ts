import type { ReliabilityFacts } from '../facts.ts';
import type { Check } from '../reliability.ts';
import { blurredGradient } from './blurred-gradient.ts';
import { hiddenSlope } from './hidden-slope.ts';
import { largerEps } from './larger-eps.ts';
import { localAgreement } from './local-agreement.ts';
import { lossDirection } from './loss-direction.ts';
import { moreSteps } from './more-steps.ts';
import { noise } from './noise.ts';
import { oneStep } from './one-step.ts';
import { randomness } from './randomness.ts';
import { saturation } from './saturation.ts';
import { steps } from './steps.ts';
import { transfer } from './transfer.ts';
import { withoutGradients } from './without-gradients.ts';
import { zeroGradients } from './zero-gradients.ts';

/** Every check, in the order in which reports show them. */
export const CHECKS: readonly ((facts: ReliabilityFacts) => Check)[] = [
  zeroGradients,
  localAgreement,
  hiddenSlope,
  lossDirection,
  blurredGradient,
  oneStep,
  moreSteps,
  largerEps,
  noise,
  withoutGradients,
  transfer,
  saturation,
  steps,
  randomness,
];
