import { SEVERITIES, type Severity } from '../../core/severity.ts';

export { SEVERITIES, type Severity };

/**
 * Where public taxonomies file something: `AML.T…` (MITRE ATLAS), `ML06:2023` (OWASP Machine Learning Top 10), `NISTAML.…`
 * (NIST AI 100-2), `CWE-…`, `CVE-…`.
 */
export type Taxonomy = readonly string[];

/** Where in an artefact something was found. Paths and places come from the artefact, so an attacker may have written them. */
export interface Where {
  /** The file as it was named, with `/` between steps; a member of a container follows after `!`, e.g. `a.zip!b/data.pkl`. */
  readonly path: string;
  /** The place inside the file in words, e.g. `cell 3, output 1, line 2` or `layers[2].config`; empty for the file itself. */
  readonly place: string;
  /** Line in the file, from 1, where the file has lines. */
  readonly line?: number;
  /** Column in that line, from 1. */
  readonly column?: number;
}

/** Something in an artefact that a reader should act on. */
export interface SupplyFinding {
  /** Stable id of the rule, e.g. `secrets/huggingface-token` or `scan/keras-lambda`. */
  readonly rule: string;
  readonly severity: Severity;
  readonly where: Where;
  /** What was seen, in a sentence; never a secret whole. */
  readonly what: string;
  /** Why it is dangerous, in a sentence. */
  readonly why: string;
  readonly taxonomy: Taxonomy;
}

/** A file, or a part of one, that could not be looked at. It is never counted as clean. */
export interface Unread {
  readonly path: string;
  readonly reason: string;
}

/** Keys that lie around: unsecured credentials; AI supply chain; supply chain attacks; hard-coded credentials. */
export const LEAKED_CREDENTIAL: Taxonomy = ['AML.T0055', 'ML06:2023', 'NISTAML.05', 'CWE-798'];

/** The findings, the gravest first; equal ones in the order of path, line and rule. */
export function bySeverity<T extends Pick<SupplyFinding, 'severity' | 'where' | 'rule'>>(
  findings: readonly T[],
): readonly T[] {
  const text = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return findings.toSorted(
    (a, b) =>
      SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
      text(a.where.path, b.where.path) ||
      (a.where.line ?? 0) - (b.where.line ?? 0) ||
      text(a.where.place, b.where.place) ||
      text(a.rule, b.rule),
  );
}
