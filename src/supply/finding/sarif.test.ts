import { describe, expect, it } from 'vitest';
import { bySeverity, LEAKED_CREDENTIAL, type SupplyFinding } from './finding.ts';
import { sarifLog } from './sarif.ts';

const finding = (over: Partial<SupplyFinding> = {}): SupplyFinding => ({
  rule: 'scan/x',
  severity: 'critical',
  where: { path: 'a b/ü.zip!inner.pkl', place: 'byte 3' },
  what: 'It calls os.system.',
  why: 'Loading runs a command.',
  taxonomy: ['AML.T0011.000', 'CWE-502'],
  ...over,
});

const runOf = (findings: readonly SupplyFinding[], unread: { path: string; reason: string }[] = []) =>
  JSON.parse(sarifLog({ command: 'scan', version: '1.2.3', rules: [], findings, unread })).runs[0];

describe('a SARIF log', () => {
  it('describes each rule once and refers to it', () => {
    const run = runOf([finding(), finding({ rule: 'scan/a', severity: 'low' }), finding()]);
    expect(run.tool.driver.rules.map((r: { id: string }) => r.id)).toEqual(['scan/a', 'scan/x']);
    expect(run.results.map((r: { ruleIndex: number }) => r.ruleIndex)).toEqual([1, 0, 1]);
    expect(run.results.map((r: { level: string }) => r.level)).toEqual(['error', 'note', 'error']);
    expect(run.tool.driver.rules[1].properties.tags).toContain('AML.T0011.000');
  });

  it('escapes paths and names members of containers apart from the file', () => {
    const [location] = runOf([finding()]).results[0].locations;
    expect(location.physicalLocation.artifactLocation.uri).toBe('a%20b/%C3%BC.zip');
    expect(location.logicalLocations[0].fullyQualifiedName).toBe('inner.pkl, byte 3');
  });

  it('gives equal findings different fingerprints, and the same on every run', () => {
    const prints = (run: { results: { partialFingerprints: Record<string, string> }[] }) =>
      run.results.map((r) => r.partialFingerprints['glacis/v1']);
    const first = prints(runOf([finding(), finding()]));
    expect(new Set(first).size).toBe(2);
    expect(prints(runOf([finding(), finding()]))).toEqual(first);
  });

  it('counts a run with an unreadable file as unsuccessful', () => {
    const run = runOf([], [{ path: '/x', reason: 'no right to read' }]);
    expect(run.invocations[0].executionSuccessful).toBe(false);
    expect(run.invocations[0].toolExecutionNotifications[0].message.text).toBe('/x: no right to read');
    expect(runOf([]).invocations[0].executionSuccessful).toBe(true);
  });

  it('stays well-formed on names with half a surrogate', () => {
    const run = runOf([finding({ where: { path: 'a\ud800', place: '\udfff', line: 2, column: 5 } })]);
    expect(run.results[0].locations[0].physicalLocation.region).toEqual({ startLine: 2, startColumn: 5 });
    expect(run.results[0].locations[0].physicalLocation.artifactLocation.uri).toBe('a%EF%BF%BD');
  });
});

describe('findings in order', () => {
  it('puts the gravest first, then by path and line', () => {
    const at = (severity: SupplyFinding['severity'], path: string, line: number) =>
      finding({ severity, where: { path, place: '', line }, taxonomy: LEAKED_CREDENTIAL });
    const sorted = bySeverity([at('low', 'a', 1), at('critical', 'b', 10), at('critical', 'b', 9)]);
    expect(sorted.map(({ severity, where }) => [severity, where.path, where.line])).toEqual([
      ['critical', 'b', 9],
      ['critical', 'b', 10],
      ['low', 'a', 1],
    ]);
  });
});
