import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/policy/gate/decide.ts';
import { policyText, question, statementOf } from '../../src/policy/policy.fixture.ts';
import { parsePolicy } from '../../src/policy/read-policy.ts';
import { junitReport } from '../../src/policy/report/junit.ts';
import { gateSarif } from '../../src/policy/report/sarif.ts';
import { LEAKED_CREDENTIAL, type SupplyFinding } from '../../src/supply/finding/finding.ts';
import { sarifLog } from '../../src/supply/finding/sarif.ts';
import { RULES } from '../../src/supply/scan/registry.ts';
import { secretsSarifRules } from '../../src/supply/secrets/sarif-rules.ts';
import { ROOT } from '../house/tree.ts';

/** The official schema. It is of draft 4, whose `id` later drafts call `$id`; nothing else that it uses changed. */
const { id, $schema, ...official } = JSON.parse(
  readFileSync(join(ROOT, 'test/vectors/sarif/sarif-2.1.0-rtm.5.json'), 'utf8'),
);
const ajv = new Ajv({
  strict: false,
  allErrors: true,
  unicodeRegExp: false,
  formats: {
    uri: (text: string) => URL.canParse(text),
    // RFC 3986: what a path may hold unescaped, and escapes.
    'uri-reference': /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*$/,
    'date-time': (text: string) => !Number.isNaN(Date.parse(text)),
  },
});
const validate = ajv.compile({ $id: id, ...official });
const problems = (text: string) =>
  validate(JSON.parse(text)) ? [] : validate.errors!.map((e) => `${e.instancePath} ${e.message}`);

/** Names that an attacker chose, and ordinary ones. */
const PATHS = ['a.pkl', '/abs/ü b.zip!in/ner.pkl!x', 'half \ud800 a surrogate', 'c:\\%zz\u0007<>"', ''];
const found = (
  rule: { id: string; why: string; severity: SupplyFinding['severity'] },
  i: number,
): SupplyFinding => ({
  rule: rule.id,
  severity: rule.severity,
  where: {
    path: PATHS[i % PATHS.length]!,
    place: i % 2 === 0 ? 'byte 3' : '',
    ...(i % 3 === 0 && { line: i + 1, column: 1 }),
  },
  what: `What ${PATHS[i % PATHS.length]}`,
  why: rule.why,
  taxonomy: LEAKED_CREDENTIAL,
});

const decision = () => {
  const lines = ['{ require: scan }', '{ require: secrets }', '{ require: signature, signers: [release] }'];
  const more =
    "exceptions:\n  - { requirement: secrets, model: '*', stage: production, reason: soon, owner: Ann, until: 2026-11-30 }\n";
  const scan = {
    result: { schema: 'glacis.scan/1', verdict: 'malicious', files: [{ verdict: 'malicious' }] },
  };
  const broken = statementOf({}, { file: 'x\ud800".json', check: { verified: false, reason: 'a\u0007b' } });
  return decide(parsePolicy(policyText(lines, more)), question([statementOf(scan), broken]));
};

describe('SARIF 2.1.0, as its official schema has it, is what', () => {
  it('glacis scan writes, with each of its rules', () => {
    const findings = RULES.map(found);
    const unread = PATHS.map((path) => ({ path, reason: path }));
    expect(problems(sarifLog({ command: 'scan', version: '1.2.3', rules: RULES, findings, unread }))).toEqual(
      [],
    );
  });

  it('glacis secrets writes, with each of its rules', () => {
    const rules = secretsSarifRules();
    const text = sarifLog({
      command: 'secrets',
      version: '1.2.3',
      rules,
      findings: rules.map(found),
      unread: [],
    });
    expect(problems(text)).toEqual([]);
  });

  it('glacis gate writes, with requirements that are open, excepted and ignored', () => {
    expect(problems(gateSarif(decision(), 'a policy.yaml', '1.2.3'))).toEqual([]);
  });

  it('and the schema is one that refuses', () => {
    const log = JSON.parse(gateSarif(decision(), 'p', '1'));
    log.runs[0].results[0].level = 'dire';
    expect(problems(JSON.stringify(log))).toContainEqual(expect.stringContaining('/runs/0/results/0/level'));
    log.runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri = 'a b';
    expect(problems(JSON.stringify(log))).toContainEqual(expect.stringContaining('uri-reference'));
  });
});

/**
 * What readers of JUnit reports take: elements with the children and attributes that the schema of Jenkins' xunit plugin (junit-10.xsd) allows.
 * Source: https://github.com/jenkinsci/xunit-plugin, src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd.
 */
const JUNIT: Readonly<
  Record<
    string,
    { readonly in: readonly string[]; readonly has: readonly string[]; readonly needs: readonly string[] }
  >
> = {
  testsuites: {
    in: [''],
    has: ['name', 'time', 'tests', 'failures', 'disabled', 'errors', 'skipped'],
    needs: [],
  },
  testsuite: {
    in: ['testsuites'],
    has: [
      'name',
      'tests',
      'failures',
      'errors',
      'group',
      'time',
      'skipped',
      'timestamp',
      'hostname',
      'id',
      'package',
      'file',
      'log',
      'url',
      'version',
    ],
    needs: ['name', 'tests', 'failures', 'errors'],
  },
  testcase: {
    in: ['testsuite'],
    has: [
      'name',
      'assertions',
      'time',
      'timestamp',
      'classname',
      'status',
      'class',
      'file',
      'line',
      'group',
      'url',
    ],
    needs: ['name'],
  },
  failure: { in: ['testcase'], has: ['type', 'message'], needs: [] },
  error: { in: ['testcase'], has: ['type', 'message'], needs: [] },
  skipped: { in: ['testcase'], has: ['type', 'message'], needs: [] },
  'system-out': { in: ['testcase', 'testsuite'], has: [], needs: [] },
};

it("JUnit's shape, as its readers have it, is what glacis gate writes", () => {
  const xml = junitReport(decision());
  const open: string[] = [];
  const counts: Record<string, number> = {};
  for (const [, close, name = '', attributes = '', empty] of xml.matchAll(
    /<(\/?)([a-z][a-z-]*)((?:\s+[a-z]+="[^"<]*")*)\s*(\/?)>/g,
  )) {
    if (close) {
      expect(open.pop()).toBe(name);
      continue;
    }
    counts[name] = (counts[name] ?? 0) + 1;
    const shape = JUNIT[name];
    expect(shape?.in, name).toContain(open.at(-1) ?? '');
    const given = [...attributes.matchAll(/([a-z]+)="/g)].map(([, key]) => key!);
    expect(new Set(given).size).toBe(given.length);
    for (const key of given) expect(shape!.has, `${name} ${key}`).toContain(key);
    expect(given).toEqual(expect.arrayContaining([...shape!.needs]));
    if (!empty) open.push(name);
  }
  expect(open).toEqual([]);
  expect(counts).toMatchObject({
    testsuites: 1,
    testsuite: 1,
    testcase: 3,
    failure: 1,
    error: 1,
    skipped: 1,
  });
  expect(xml).toMatch(/timestamp="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"/);
  // Everything that is no markup above is text without marks of its own.
  expect(xml.replace(/<\?xml[^>]*\?>|<\/?[a-z][a-z-]*(?:\s+[a-z]+="[^"<]*")*\s*\/?>/g, '')).not.toMatch(
    /[<>]|&(?!amp;|lt;|gt;|quot;|apos;)/,
  );
});
