/** What a change of an input is measured in: a norm, or the one number of a threat of another kind. */
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
