import type { StrengthCase } from './strength-cases.ts';

/** What an attack came to: means over the seeds. */
export interface Figures {
  /** Samples that were attacked. */
  readonly attacked: number;
  /** Share of them that fell. */
  readonly success: number;
  /** Distance of the nearest examples, samples that did not fall counted as infinite; null where that is the median. */
  readonly median: number | null;
  /** How often the model was asked about a sample, on average. */
  readonly queries: number;
}

/** A peer's figures. */
export interface PeerFigures extends Figures {
  readonly version: string;
  /** Samples that were not attacked, because the network gets them wrong, mostly. */
  readonly left: readonly number[];
}

/** A case with what is known of it so far. */
export interface StrengthEntry extends StrengthCase {
  readonly own?: Figures;
  readonly peer?: PeerFigures;
}

/** How much may be worse: points of success, or a share of the median distance. */
const MARGIN = 0.02;
/** Of sums in floating point. */
const ROUNDING = 1e-9;

/** What a comparison says: `difference` in favour of ours is positive. */
export interface StrengthVerdict {
  /** What is compared: the share of samples that fell within the radius, or the median distance. */
  readonly measure: 'success' | 'median';
  /** In points of success, or as a share of the peer's median; NaN where both medians are infinite. */
  readonly difference: number;
  readonly verdict: 'stronger' | 'as strong' | 'weaker';
}

/** Whether ours is worse than the peer by more than 2 points of success or, where the nearest example is sought, 2 % of the median distance. */
export function verdictOf({ eps }: Pick<StrengthEntry, 'eps'>, own: Figures, peer: Figures): StrengthVerdict {
  const points = own.success - peer.success;
  if (eps !== undefined || (own.median === null && peer.median === null))
    return { measure: 'success', difference: points, verdict: verdictFor(points) };
  const far = peer.median ?? Number.POSITIVE_INFINITY;
  const near = own.median ?? Number.POSITIVE_INFINITY;
  const difference = near === far ? 0 : far === Number.POSITIVE_INFINITY ? near : 1 - near / far;
  return { measure: 'median', difference, verdict: verdictFor(difference) };
}

function verdictFor(difference: number): StrengthVerdict['verdict'] {
  if (difference < -MARGIN - ROUNDING) return 'weaker';
  return difference > MARGIN + ROUNDING ? 'stronger' : 'as strong';
}
