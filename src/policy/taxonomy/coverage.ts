import type { RequirementKind } from '../schema/requirements.ts';

/** Where public taxonomies file what a requirement guards against, or asks for. */
export interface Coverage {
  /** Techniques and mitigations of MITRE ATLAS. */
  readonly atlas: readonly string[];
  readonly owasp: readonly string[];
  readonly nist: readonly string[];
  readonly aisvs: readonly string[];
}

const COVERAGE: Readonly<Record<RequirementKind, Coverage>> = {
  signature: {
    atlas: ['AML.T0010.003', 'AML.T0074', 'AML.M0013', 'AML.M0014'],
    owasp: ['ML06:2023', 'ML10:2023'],
    nist: ['NISTAML.05', 'NISTAML.051'],
    aisvs: ['AISVS-3.1.2', 'AISVS-3.1.3', 'AISVS-6.1.3'],
  },
  scan: {
    atlas: ['AML.T0011.000', 'AML.T0018.002', 'AML.M0016'],
    owasp: ['ML06:2023'],
    nist: ['NISTAML.05'],
    aisvs: ['AISVS-6.1.1'],
  },
  secrets: { atlas: ['AML.T0055'], owasp: ['ML06:2023'], nist: ['NISTAML.05'], aisvs: [] },
  cleanAccuracy: {
    atlas: ['AML.T0031', 'AML.M0008'],
    owasp: ['ML08:2023'],
    nist: ['NISTAML.02'],
    aisvs: ['AISVS-3.2.1', 'AISVS-6.1.4'],
  },
  robustAccuracy: {
    atlas: ['AML.T0015', 'AML.T0043', 'AML.M0003', 'AML.M0008'],
    owasp: ['ML01:2023'],
    nist: ['NISTAML.022', 'NISTAML.025'],
    aisvs: ['AISVS-11.1.3', 'AISVS-11.1.4'],
  },
  certifiedAccuracy: {
    atlas: ['AML.T0015', 'AML.T0043', 'AML.M0003'],
    owasp: ['ML01:2023'],
    nist: ['NISTAML.022'],
    aisvs: ['AISVS-11.1.3', 'AISVS-11.1.4'],
  },
  membershipInference: {
    atlas: ['AML.T0024.000'],
    owasp: ['ML04:2023'],
    nist: ['NISTAML.033'],
    aisvs: ['AISVS-11.2.5'],
  },
  extraction: {
    atlas: ['AML.T0024.002', 'AML.T0048.004'],
    owasp: ['ML05:2023'],
    nist: ['NISTAML.031'],
    aisvs: ['AISVS-11.3.2'],
  },
  backdoor: {
    atlas: ['AML.T0018.000', 'AML.T0020', 'AML.T0043.004', 'AML.M0008'],
    owasp: ['ML02:2023', 'ML10:2023'],
    nist: ['NISTAML.021', 'NISTAML.023'],
    aisvs: ['AISVS-6.1.4'],
  },
  privateTraining: {
    atlas: ['AML.T0024.000', 'AML.T0024.001'],
    owasp: ['ML03:2023', 'ML04:2023'],
    nist: ['NISTAML.032', 'NISTAML.033'],
    aisvs: ['AISVS-11.2.4'],
  },
  findings: {
    atlas: ['AML.M0008'],
    owasp: ['ML01:2023'],
    nist: ['NISTAML.02'],
    aisvs: ['AISVS-3.2.1'],
  },
  provenance: {
    atlas: ['AML.T0010', 'AML.T0010.002', 'AML.M0025'],
    owasp: ['ML02:2023', 'ML07:2023'],
    nist: ['NISTAML.05', 'NISTAML.013'],
    aisvs: ['AISVS-3.1.1', 'AISVS-6.1.2'],
  },
  statement: {
    atlas: ['AML.M0023'],
    owasp: ['ML06:2023'],
    nist: ['NISTAML.05'],
    aisvs: ['AISVS-6.2.1', 'AISVS-6.2.2'],
  },
};

/** What a kind of requirement guards against, or asks for, in the terms of public taxonomies. */
export function coverageOf(kind: RequirementKind): Coverage {
  return COVERAGE[kind];
}
