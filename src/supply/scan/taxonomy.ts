/**
 * Entries of public taxonomies that rules name, so that each is written once. MITRE ATLAS 5.6.0, OWASP ML Top 10 (2023
 * draft), NIST AI 100-2 E2025, MITRE CWE.
 */
export const TAXONOMY = {
  /** A file of a model runs code when it is loaded. */
  codeOnLoad: ['AML.T0011.000', 'AML.T0018.002', 'ML06:2023', 'NISTAML.05', 'CWE-502'],
  /** A file of a model asks its loader to fetch or import code. */
  remoteCode: ['AML.T0011.000', 'AML.T0010.001', 'ML06:2023', 'NISTAML.05', 'CWE-829'],
  /** A text of a model is run as a template. */
  template: ['AML.T0011.000', 'AML.T0018.002', 'ML06:2023', 'NISTAML.05', 'CWE-1336'],
  /** A model's graph reads or writes files or reaches the network. */
  graphAccess: ['AML.T0011.000', 'AML.T0018.001', 'ML06:2023', 'NISTAML.051', 'CWE-610'],
  /** A path that leads out of the place where it belongs. */
  pathEscape: ['AML.T0010.003', 'ML06:2023', 'NISTAML.05', 'CWE-22'],
  /** A file is one thing to one reader and another to the next, or is built to fail a scanner. */
  evasion: ['AML.T0074', 'AML.T0076', 'ML06:2023', 'NISTAML.05', 'CWE-436'],
  /** A file that exhausts whoever opens it. */
  exhaustion: ['AML.T0029', 'ML06:2023', 'NISTAML.01', 'CWE-409'],
  /** Sizes and offsets that do not fit the bytes: memory errors in native readers. */
  memory: ['AML.T0011.000', 'ML06:2023', 'NISTAML.05', 'CWE-787'],
  /** Could not be looked at, so nothing is known. */
  unseen: ['AML.T0076', 'ML06:2023', 'NISTAML.05'],
} as const;
