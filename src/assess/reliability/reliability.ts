/**
 * How far an assessment's figures can be trusted: what each check of the attacks and of the model's gradient showed. Plain JSON;
 * `reliability-json.ts` checks it.
 */

import type { Norm } from '../../threat/norm.ts';

/** What a check may say. No check says `good` without having looked. */
export const CHECK_VERDICTS = ['good', 'suspicious', 'unknown'] as const;

/** One of {@link CHECK_VERDICTS}. */
export type CheckVerdict = (typeof CHECK_VERDICTS)[number];

/** Every check, in the order in which a report shows them. */
export const CHECK_IDS = [
  'zero-gradients',
  'local-agreement',
  'hidden-slope',
  'loss-direction',
  'blurred-gradient',
  'one-step',
  'more-steps',
  'larger-eps',
  'noise',
  'without-gradients',
  'transfer',
  'saturation',
  'steps',
  'randomness',
] as const;

/** One of {@link CHECK_IDS}. */
export type CheckId = (typeof CHECK_IDS)[number];

/** What one check showed. */
export interface Check {
  readonly id: CheckId;
  /** What should hold, in a few words. */
  readonly title: string;
  readonly verdict: CheckVerdict;
  /** What was seen, with figures, in a sentence or two; or why nothing was. */
  readonly evidence: string;
  /** Whether a suspicion here is one of gradient masking; otherwise it is one about the attacks alone. */
  readonly masking: boolean;
  /** Of a suspicion: the attacks of this assessment took account of it. */
  readonly heeded?: boolean;
  /** Of a suspicion: what to do. */
  readonly remedy?: string;
}

/** All checks of one assessment. */
export interface Reliability {
  readonly norm: Norm;
  /** The radius at which was looked. */
  readonly eps: number;
  /** Samples around which was looked, all answered right before. */
  readonly samples: number;
  readonly checks: readonly Check[];
  /** Gradient masking is suspected: a check that can tell says so. */
  readonly masked: boolean;
  /** Samples put through the model for this, and through its gradient. */
  readonly queries: number;
  readonly gradientQueries: number;
  readonly seconds: number;
}
