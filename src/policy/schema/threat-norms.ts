/** What a change of an input is measured in: those of the results of assessments. */
export const THREAT_NORMS = [
  'linf',
  'l2',
  'l1',
  'l0',
  'spatial',
  'semantic',
  'composite',
  'patch',
  'wasserstein',
] as const;

/** One of {@link THREAT_NORMS}. */
export type ThreatNorm = (typeof THREAT_NORMS)[number];

/**
 * Norms whose balls lie inside each other: accuracy at a larger eps is a lower bound for that at a smaller one. Of the other threats this is
 * not known in general (two kinds of change in one number), so evidence must have exactly the eps of the policy.
 */
export const NESTED_NORMS: ReadonlySet<ThreatNorm> = new Set(['linf', 'l2', 'l1', 'l0']);
