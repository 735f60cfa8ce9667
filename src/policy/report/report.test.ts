import { describe, expect, it } from 'vitest';
import { decide } from '../gate/decide.ts';
import { measuresOf, policyText, question, robust, statementOf } from '../policy.fixture.ts';
import { parsePolicy } from '../read-policy.ts';
import { junitReport } from './junit.ts';
import { nextSteps } from './next-steps.ts';
import { gateSarif } from './sarif.ts';
import { gateText } from './text.ts';

/** One requirement in each state: met, not met, missing, excepted. */
const policy = parsePolicy(
  policyText(
    [
      '{ require: robustAccuracy, threat: noise, atLeast: 0.5 }',
      '{ require: robustAccuracy, threat: noise, atLeast: 0.9, id: strong, samples: 500, attacks: ["pgd(steps=40)"] }',
      '{ require: scan }',
      '{ require: secrets }',
    ],
    "exceptions:\n  - { requirement: secrets, model: '*', stage: production, reason: \"a <b> & 'c'\", owner: Ann, until: 2026-11-30 }\n",
  ),
);
const broken = statementOf({}, { file: 'x".json', check: { verified: false, reason: 'a\u0007b' } });
const decision = decide(policy, question([statementOf(measuresOf([robust()])), broken]));
const next = nextSteps(policy, 'production', decision.requirements, { model: 'my net.onnx', evidence: 'ev' });

it('the fixture has all states', () => {
  expect(decision.requirements.map(({ state }) => state)).toEqual(['met', 'not-met', 'missing', 'excepted']);
});

describe('JUnit', () => {
  const xml = junitReport(decision);

  it('counts failures, errors and skipped cases', () => {
    expect(xml).toContain('tests="4" failures="1" errors="1" skipped="1"');
    expect(xml.match(/<testcase /g)).toHaveLength(4);
    expect(xml).toMatch(/name="strong"[^>]*><failure message="[^"]*90 %/);
    expect(xml).toMatch(/name="scan"[^>]*><error message/);
    expect(xml).toMatch(
      /name="secrets"[^>]*><skipped message="Ann until 2026-11-30: a &lt;b&gt; &amp; &apos;c&apos;"/,
    );
  });

  it('holds no character that XML cannot', () => {
    const odd = { ...decision, model: { name: 'a\u0000\ud800"<', digests: [] } };
    expect(junitReport(odd)).toContain('name="a\ufffd\ufffd&quot;&lt; for production"');
  });
});

describe('SARIF', () => {
  const log = JSON.parse(gateSarif(decision, 'glacis.yaml', '1.2.3'));

  it('has a result for each requirement that is not met, at the policy, with what taxonomies call it', () => {
    const [run] = log.runs;
    expect(log.version).toBe('2.1.0');
    expect(run.results.map((r: { ruleId: string; level: string }) => [r.ruleId, r.level])).toEqual([
      ['gate/robustAccuracy', 'error'],
      ['gate/scan', 'error'],
      ['gate/secrets', 'note'],
    ]);
    expect(run.results[0].properties.taxonomy).toContain('AML.T0015');
    expect(run.results[0].locations[0].physicalLocation.artifactLocation.uri).toBe('glacis.yaml');
    expect(run.invocations[0].toolExecutionNotifications[0].message.text).toMatch(/^x".json: not verified/);
  });

  it('has no result when all is met', () => {
    const one = parsePolicy(policyText(['{ require: robustAccuracy, threat: noise, atLeast: 0.5 }']));
    const met = decide(one, question([statementOf(measuresOf([robust()]))]));
    expect(JSON.parse(gateSarif(met, 'p', '1')).runs[0].results).toEqual([]);
    const none = decide(parsePolicy(policyText(['{ require: scan }']).replace("'*'", "'x'")), question([]));
    expect(JSON.parse(gateSarif(none, 'p', '1')).runs[0].results[0].ruleId).toBe('gate/policy');
  });
});

describe('what to run next', () => {
  it('names the commands with the options that the policy asks for, for what is open only', () => {
    expect(next.map(({ id }) => id)).toEqual(['strong', 'scan']);
    expect(next[0]!.commands[0]).toBe(
      "glacis assess 'my net.onnx' --data DATA --norm linf --eps 0.0313725490196078 --attacks 'pgd(steps=40)' --n 500 --json assessment.json",
    );
    expect(next[1]!.commands).toEqual([
      "glacis scan 'my net.onnx' --json scan.json",
      "glacis attest key scan.json --model 'my net.onnx' --private-key KEY.pem --out ev/scan.json",
    ]);
  });
});

describe('the text', () => {
  it('says what was decided, each state, the evidence, and what counted for nothing', () => {
    const text = gateText(decision, next);
    expect(text).toMatch(/^REFUSED {2}net for production: 1 of 4 requirements met\n/);
    expect(text).toMatch(/NOT MET {3}strong/);
    expect(text).toMatch(/MISSING {3}scan/);
    expect(text).toContain('excepted by Ann until 2026-11-30');
    expect(text).toContain('shown by evidence.json, ci, 2026-11-20T12:00:00.000Z');
    expect(text).toContain('Counted for nothing\n  x".json: not verified: a');
    expect(text).toContain('# strong: where the model is too weak');
  });
});
