import { createHash } from 'node:crypto';
import type { Severity, SupplyFinding, Taxonomy, Unread } from './finding.ts';

/** A rule as SARIF describes it once for all its results. */
export interface SarifRule {
  readonly id: string;
  readonly title: string;
  readonly why: string;
  readonly severity: Severity;
  readonly taxonomy: Taxonomy;
}

/** What a log is made of. */
export interface SarifInput {
  /** The command that looked, e.g. `scan`. */
  readonly command: string;
  readonly version: string;
  /** Rules that findings refer to; one that is missing is made from its first finding. */
  readonly rules: readonly SarifRule[];
  readonly findings: readonly SupplyFinding[];
  readonly unread: readonly Unread[];
}

const LEVELS: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
  info: 'note',
};

/** What GitHub's code scanning sorts by: above 9 is critical, from 7 high, from 4 medium. */
const SECURITY_SEVERITY: Readonly<Record<Severity, string>> = {
  critical: '9.5',
  high: '8.0',
  medium: '5.5',
  low: '3.0',
  info: '0.0',
};

/**
 * The findings as a SARIF 2.1.0 log with one run, as JSON text. Files that could not be read are notifications of level
 * error, and the run counts as unsuccessful then. Fingerprints hash rule, path, place and how many like it came before: never
 * what was found, because a hash of a weak password gives the password away.
 * Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
export function sarifLog({ command, version, rules, findings, unread }: SarifInput): string {
  const known = new Map(rules.map((rule) => [rule.id, rule]));
  for (const { rule, why, severity, taxonomy } of findings)
    if (!known.has(rule)) known.set(rule, { id: rule, title: rule, why, severity, taxonomy });
  const used = [...new Set(findings.map(({ rule }) => rule))].sort();
  const seen = new Map<string, number>();
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: `glacis ${command}`,
            version,
            semanticVersion: version,
            rules: used.map((id) => ruleOf(known.get(id)!)),
          },
        },
        columnKind: 'utf16CodeUnits',
        invocations: [
          {
            executionSuccessful: unread.length === 0,
            toolExecutionNotifications: unread.map(({ path, reason }) => ({
              level: 'error',
              message: { text: `${path}: ${reason}`.toWellFormed() },
              locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(path) } } }],
            })),
          },
        ],
        results: findings.map((finding) => resultOf(finding, used.indexOf(finding.rule), seen)),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function ruleOf({ id, title, why, severity, taxonomy }: SarifRule) {
  return {
    id,
    name: id,
    shortDescription: { text: title },
    fullDescription: { text: why },
    help: { text: why },
    defaultConfiguration: { level: LEVELS[severity] },
    properties: {
      'security-severity': SECURITY_SEVERITY[severity],
      tags: ['security', ...taxonomy],
    },
  };
}

function resultOf(finding: SupplyFinding, ruleIndex: number, seen: Map<string, number>) {
  const { rule, severity, where, what, why, taxonomy } = finding;
  const [file = '', ...members] = where.path.split('!');
  const inner = [...members, where.place].filter((part) => part !== '').join(', ');
  const key = JSON.stringify([rule, where.path, where.place]);
  const before = seen.get(key) ?? 0;
  seen.set(key, before + 1);
  const region =
    where.line === undefined
      ? {}
      : {
          region: {
            startLine: where.line,
            ...(where.column === undefined ? {} : { startColumn: where.column }),
          },
        };
  return {
    ruleId: rule,
    ruleIndex,
    level: LEVELS[severity],
    message: { text: `${what} ${why}`.toWellFormed() },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri: uriOf(file) }, ...region },
        ...(inner === '' ? {} : { logicalLocations: [{ fullyQualifiedName: inner.toWellFormed() }] }),
      },
    ],
    partialFingerprints: {
      'glacis/v1': createHash('sha256').update(`${key}\0${before}`).digest('hex').slice(0, 32),
    },
    properties: { severity, taxonomy },
  };
}

/** A path as a relative or `file:` URI; attacker-controlled bytes that no URI may hold are escaped. */
function uriOf(path: string): string {
  const steps = path.toWellFormed().split('/').map(encodeURIComponent).join('/');
  return path.startsWith('/') ? `file://${steps}` : steps;
}
