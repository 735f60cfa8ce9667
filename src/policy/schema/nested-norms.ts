import type { ThreatNorm } from '../../threat/threat-norms.ts';

/**
 * Norms whose balls lie inside each other: accuracy at a larger eps is a lower bound for that at a smaller one. Of the other threats this is
 * not known in general (two kinds of change in one number), so evidence must have exactly the eps of the policy.
 */
export const NESTED_NORMS: ReadonlySet<ThreatNorm> = new Set(['linf', 'l2', 'l1', 'l0']);
