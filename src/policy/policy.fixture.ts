import type { AttackRun, Claim } from './evidence/claim.ts';
import { type Evidence, readEvidence } from './evidence/read-statement.ts';
import { MODEL_SIGNATURE, type Statement, type Voucher } from './evidence/statement.ts';
import type { GateQuestion } from './gate/question.ts';
import { type Policy, parsePolicy } from './read-policy.ts';

/** A digest or fingerprint that is made of one hexadecimal digit. */
export const hex = (digit: string): string => `sha256:${digit.repeat(64)}`;

/** The keys of the fixture's signers. */
export const KEYS = { release: hex('1'), ci: hex('2'), stranger: hex('3'), quantum: hex('4') } as const;
/** Root digest and file of the fixture's model. */
export const ROOT = hex('a');
export const FILE = hex('b');
/** The fixture's time. */
export const NOW = Date.parse('2026-11-21T12:00:00Z');

const HEAD = `schema: glacis.policy/1
signers:
  release: { key: ${KEYS.release}, postQuantumKey: ${KEYS.quantum} }
  ci: { key: ${KEYS.ci} }
threats:
  noise: { norm: linf, eps: 8/255 }
  turn: { norm: spatial, eps: 30 }
defaults: { signers: [ci], fresh: 90 days }
`;

/** A policy with one entry for every model and one stage, `production`, that requires what the lines say (flow maps). */
export function policyOf(...requirements: readonly string[]): Policy {
  return parsePolicy(policyText(requirements));
}

/** The text of {@link policyOf}, with more at its end. */
export function policyText(requirements: readonly string[], more = ''): string {
  const list = requirements.map((each) => `        - ${each}\n`).join('');
  return `${HEAD}models:\n  - name: '*'\n    stages:\n      production:\n${list}${more}`;
}

/** A verified statement of the signer `ci` about the fixture's model. */
export function statementOf(predicate: unknown, more: Partial<Statement> = {}): Statement {
  return {
    file: 'evidence.json',
    digest: hex('e'),
    check: { verified: true, by: byKey('ci') },
    subjects: [ROOT],
    predicateType: 'https://in-toto.io/attestation/test-result/v0.1',
    predicate,
    ...more,
  };
}

/** The signer of one of {@link KEYS}. */
export function byKey(name: keyof typeof KEYS): Voucher {
  return { method: 'key', key: KEYS[name], postQuantum: name === 'quantum' };
}

/** The model's own signature by one of {@link KEYS}. */
export function signatureOf(name: keyof typeof KEYS, more: Partial<Statement> = {}): Statement {
  return statementOf(
    {},
    {
      file: `${name}.sig`,
      predicateType: MODEL_SIGNATURE,
      check: { verified: true, by: byKey(name) },
      ...more,
    },
  );
}

/** A document of measures made a day before now. */
export function measuresOf(measures: readonly Claim[], more: object = {}): object {
  return {
    schema: 'glacis.measures/1',
    model: { digest: FILE },
    finishedAt: '2026-11-20T12:00:00Z',
    tool: 'a test',
    measures,
    ...more,
  };
}

/** A claim of robust accuracy: 600 of 1,000 under the fixture's threat `noise`. */
export function robust(
  more: Partial<Extract<Claim, { kind: 'robustAccuracy' }>> = {},
): Extract<Claim, { kind: 'robustAccuracy' }> {
  return {
    kind: 'robustAccuracy',
    norm: 'linf',
    eps: 8 / 255,
    accuracy: { value: 0.6, confidence: [0.569, 0.631] },
    samples: 1000,
    attacks: [PGD],
    ...more,
  };
}

const PGD: AttackRun = { attack: 'pgd', options: { steps: 40, restarts: 1, relativeStep: 0.1 } };

/** The gate's question about the fixture's model for `production`. */
export function question(statements: readonly Statement[], more: Partial<GateQuestion> = {}): GateQuestion {
  const evidence: readonly Evidence[] = readEvidence(statements);
  return {
    model: { name: 'net', roots: [ROOT], files: [FILE] },
    stage: 'production',
    evidence,
    now: NOW,
    ...more,
  };
}
