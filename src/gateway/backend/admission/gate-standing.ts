import { resolve } from 'node:path';
import { evidenceBeside } from '../../../policy/evidence/evidence-beside.ts';
import { openStatements } from '../../../policy/evidence/open-evidence.ts';
import { readEvidence } from '../../../policy/evidence/read-statement.ts';
import { decide } from '../../../policy/gate/decide.ts';
import type { Decision } from '../../../policy/gate/decision.ts';
import { readPolicyFile } from '../../../policy/policy-file.ts';
import type { Policy } from '../../../policy/read-policy.ts';
import type { VersionConfig } from '../config-schema.ts';
import { signedRootOf } from './check-signature.ts';
import { readTrust } from './evidence-trust.ts';
import { holdModel } from './held-model.ts';

/** What the standing of a model is asked with. */
export interface StandingQuestion {
  readonly model: string;
  readonly config: VersionConfig;
  /** The policy of the file that holds the configuration. */
  readonly policy: Policy | undefined;
  readonly folder: string;
  /** Most bytes of the model. */
  readonly most: number;
  readonly now: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * How a model on this machine stands with the policy now, at every stage that an entry for it has: for people to read. What is served was decided when it was
 * loaded; this decides nothing. Empty where no policy speaks of it or its file is elsewhere. Errors: those of reading model, evidence, keys and policy.
 */
export async function gateStanding(question: StandingQuestion): Promise<readonly Decision[]> {
  const { model, config, folder, most, now, signal } = question;
  const { file, check, ignore = [] } = config;
  const at = (path: string) => resolve(folder, path);
  const gate = check?.gate;
  const policy =
    gate?.policy === undefined ? question.policy : (await readPolicyFile(at(gate.policy))).policy;
  if (policy === undefined || file === undefined) return [];
  const stages = new Set(policy.entries.flatMap((entry) => Object.keys(entry.stages)));
  const held = await holdModel(at(file), { most, ignore, signal });
  const identities = Object.values(policy.signers).flatMap(({ sigstore }) => (sigstore ? [sigstore] : []));
  const trust = await readTrust((gate?.trust ?? []).map(at), identities, now);
  const paths = gate?.evidence?.map(at) ?? (await evidenceBeside(at(file)));
  const evidence = readEvidence(await openStatements(paths, trust, (bundle) => signedRootOf(held, bundle)));
  const who = {
    name: gate?.name ?? model,
    roots: [held.root],
    files: held.files.map(({ digest }) => `sha256:${digest}`),
  };
  return (
    [...stages]
      .map((stage) => decide(policy, { model: who, stage, evidence, now }))
      // A stage that no entry for this model has says nothing about it, unless it is the one that it must pass.
      .filter(
        ({ stage, requirements }) =>
          stage === gate?.stage || requirements.some(({ require }) => require !== 'policy'),
      )
  );
}
