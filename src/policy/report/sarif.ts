import type { Severity, SupplyFinding } from '../../supply/finding/finding.ts';
import type { SarifRule } from '../../supply/finding/sarif.ts';
import { sarifLog } from '../../supply/finding/sarif.ts';
import type { Answer, Decision } from '../gate/decision.ts';
import { coverageOf } from '../taxonomy/coverage.ts';

/**
 * A decision as a SARIF 2.1.0 log: a result for each requirement that is not met, at the policy file. What is excepted is there, too, as a
 * note. Files of evidence that counted for nothing are notifications.
 */
export function gateSarif({ requirements, ignored }: Decision, policy: string, version: string): string {
  const open = requirements.filter(({ state }) => state !== 'met');
  return sarifLog({
    command: 'gate',
    version,
    rules: open.map(ruleOf),
    findings: open.map((answer) => findingOf(answer, policy)),
    unread: ignored.map(({ file, why }) => ({ path: file, reason: why })),
  });
}

function ruleOf(answer: Answer): SarifRule {
  return {
    id: `gate/${answer.require}`,
    title: `The gate's requirement ${answer.require}`,
    why: WHY,
    severity: 'high',
    taxonomy: taxonomyOf(answer),
  };
}

const WHY = 'Without this evidence nobody can tell whether the model is what the policy says it must be.';

function findingOf(answer: Answer, policy: string): SupplyFinding {
  const { id, entry, says, state, why, exception } = answer;
  const severity: Severity = state === 'excepted' ? 'low' : 'high';
  const excuse =
    state === 'excepted'
      ? ` Excepted by ${exception?.owner} until ${exception?.until}: ${exception?.reason}.`
      : '';
  return {
    rule: `gate/${answer.require}`,
    severity,
    where: { path: policy, place: `${entry}, ${id}` },
    what: `Required: ${says}. It is ${state}: ${why}.${excuse}`,
    why: WHY,
    taxonomy: taxonomyOf(answer),
  };
}

function taxonomyOf({ require }: Answer): readonly string[] {
  if (require === 'policy') return [];
  const { atlas, owasp, nist } = coverageOf(require);
  return [...atlas, ...owasp, ...nist];
}
