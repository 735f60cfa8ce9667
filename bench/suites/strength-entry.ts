import type { StrengthCase } from './strength-case.ts';

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
  /** Success and median seed by seed, where there are several. */
  readonly runs?: readonly { readonly success: number; readonly median: number | null }[];
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
/** Standard errors of a difference that chance explains. */
const CHANCE = 2;

/** What a comparison says; a positive `difference` is in favour of ours. */
export interface StrengthVerdict {
  /** What is compared: the share of samples that fell within the radius, or the median distance. */
  readonly measure: 'success' | 'median';
  /** In points of success, or as a share of the peer's median; infinite where one of the medians is. */
  readonly difference: number;
  readonly verdict: 'stronger' | 'as strong' | 'within chance' | 'weaker';
}

/**
 * Whether ours is worse than the peer by more than 2 points of success or, where the nearest example is sought, 2 % of the median distance. A
 * greater difference counts as chance where it is less than two standard errors, from how much the seeds differ.
 */
export function verdictOf({ eps }: Pick<StrengthEntry, 'eps'>, own: Figures, peer: Figures): StrengthVerdict {
  if (eps !== undefined || (own.median === null && peer.median === null)) {
    const difference = own.success - peer.success;
    const error = errorOf(own, peer, ({ success }) => success);
    return { measure: 'success', difference, verdict: verdictFor(difference, error) };
  }
  const far = peer.median ?? Number.POSITIVE_INFINITY;
  const near = own.median ?? Number.POSITIVE_INFINITY;
  const isFar = far === Number.POSITIVE_INFINITY;
  const difference = near === far ? 0 : isFar ? far : 1 - near / far;
  const error = errorOf(own, peer, ({ median }) => median ?? Number.NaN) / far;
  return { measure: 'median', difference, verdict: verdictFor(difference, error) };
}

/** The standard error of the difference of two means over seeds; NaN where there are no two seeds each. */
function errorOf(own: Figures, peer: Figures, figure: (run: NonNullable<Figures['runs']>[number]) => number) {
  const [a, b] = [own, peer].map(({ runs = [] }) => squaredErrorOf(runs.map(figure)));
  return Math.sqrt(a! + b!);
}

function squaredErrorOf(values: readonly number[]): number {
  const { length } = values;
  const mean = values.reduce((total, v) => total + v, 0) / length;
  return values.reduce((total, v) => total + (v - mean) ** 2, 0) / (length - 1) / length;
}

function verdictFor(difference: number, error: number): StrengthVerdict['verdict'] {
  if (Math.abs(difference) <= MARGIN + ROUNDING) return 'as strong';
  if (Math.abs(difference) < CHANCE * error) return 'within chance';
  return difference < 0 ? 'weaker' : 'stronger';
}
