import { MODEL_SIGNATURE, type Voucher } from '../evidence/statement.ts';
import type { Policy, StageRequirement } from '../read-policy.ts';
import type { Outcome, Rejected, Shown } from './decision.ts';
import type { GateQuestion } from './question.ts';
import { isAbout, isPostQuantumOf, signedBy, wordsOf } from './signer-identity.ts';

/** The model's own signatures: k of n, each name once. */
export function signatures(
  policy: Policy,
  { signers, atLeast = signers.length, postQuantum }: Extract<StageRequirement, { require: 'signature' }>,
  { model, evidence }: GateQuestion,
): Outcome {
  const made = evidence.flatMap(({ statement }) =>
    statement.check.verified === true &&
    statement.predicateType === MODEL_SIGNATURE &&
    isAbout(statement, model)
      ? [{ statement, by: statement.check.by }]
      : [],
  );
  const shownBy: Shown[] = [];
  const lacking: string[] = [];
  const counted = new Set<string>();
  for (const name of signers) {
    const own = made.find(({ by }) => signedBy(policy, name, by));
    const quantum = made.find(({ by }) => isPostQuantumOf(policy.signers[name], by));
    if (own && (!postQuantum || quantum)) {
      counted.add(name);
      for (const each of postQuantum ? [own, quantum!] : [own])
        shownBy.push({ file: each.statement.file, digest: each.statement.digest, signer: name });
    } else lacking.push(own ? `${name} (no post-quantum signature)` : name);
  }
  const known = (by: Voucher) =>
    signers.some((name) => signedBy(policy, name, by) || isPostQuantumOf(policy.signers[name], by));
  const rejected: Rejected[] = made
    .filter(({ by }) => !known(by))
    .map(({ statement, by }) => ({
      file: statement.file,
      code: 'signer',
      why: `signed by ${wordsOf(by)}, whom the requirement does not name`,
    }));
  if (counted.size >= atLeast)
    return { state: 'met', why: `signed by ${[...counted].join(', ')}`, shownBy, rejected };
  const why = `signed by ${counted.size === 0 ? 'nobody who counts' : [...counted].join(', ')}; missing: ${lacking.join(', ')}`;
  return { state: made.length === 0 ? 'missing' : 'not-met', why, shownBy, rejected };
}
