import { openStatements } from '../../../policy/evidence/open-evidence.ts';
import { readEvidence } from '../../../policy/evidence/read-statement.ts';
import type { EnvelopeTrust } from '../../../policy/evidence/trust.ts';
import { decide } from '../../../policy/gate/decide.ts';
import type { Policy } from '../../../policy/read-policy.ts';
import { signedRootOf } from './check-signature.ts';
import type { HeldModel } from './held-model.ts';
import type { CheckResult } from './passed-check.ts';

/** What the gate is asked about the bytes that were read. */
export interface GateCheck {
  readonly policy: Policy;
  readonly stage: string;
  /** The model's name for the policy. */
  readonly name: string;
  /** Files of evidence, or folders of them. */
  readonly evidence: readonly string[];
  readonly trust: EnvelopeTrust;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Whether the policy's gate lets the bytes that were read through to a stage. Evidence is about digests, so only those count. Errors: `option/invalid`. */
export async function checkGate(held: HeldModel, check: GateCheck): Promise<CheckResult> {
  const { policy, stage, name, evidence, trust, now } = check;
  const statements = await openStatements(evidence, trust, (bundle) => signedRootOf(held, bundle));
  const model = { name, roots: [held.root], files: held.files.map(({ digest }) => `sha256:${digest}`) };
  const decision = decide(policy, { model, stage, evidence: readEvidence(statements), now });
  if (decision.decision === 'let-through') {
    const shown = new Set(
      decision.requirements.flatMap(({ shownBy }) => shownBy.map(({ signer }) => signer)),
    );
    const excepted = decision.requirements.filter(({ state }) => state === 'excepted').map(({ id }) => id);
    const without = excepted.length > 0 ? `, without ${excepted.join(', ')}` : '';
    return { passed: { check: 'gate', by: `${stage}: ${[...shown].sort().join(', ')}${without}` } };
  }
  const open = decision.requirements.filter(({ state }) => state === 'missing' || state === 'not-met');
  return {
    failed: `gate: not let through to ${stage}: ${open.map(({ id, why }) => `${id}: ${why}`).join('; ')}`,
  };
}
