import { GlacisError } from '../core/error.ts';
import { suggestion } from '../core/options.ts';
import { crossChecks } from './schema/cross-checks.ts';
import { type PolicyException, type PolicyFile, type PolicySigner, policySchema } from './schema/policy.ts';
import { schemaProblems, unsoundPolicy, wordsFor } from './schema/problems.ts';
import type { Requirement } from './schema/requirements.ts';
import { readYaml } from './schema/yaml-text.ts';

/** A requirement that says everything itself: defaults are filled in. */
export type StageRequirement = Requirement & {
  readonly id: string;
  /** Names under {@link Policy.signers}. */
  readonly signers: readonly string[];
  /** Milliseconds; infinite where any age will do. */
  readonly fresh: number;
};

/** Models that the policy speaks of, and what they need. */
export interface PolicyEntry {
  /** A name with `*` and `?`; absent where the entry names a digest. */
  readonly name?: string | undefined;
  readonly digest?: string | undefined;
  readonly stages: Readonly<Record<string, readonly StageRequirement[]>>;
}

/** A policy, checked: every name in it leads somewhere. */
export interface Policy {
  readonly signers: Readonly<Record<string, PolicySigner>>;
  readonly threats: NonNullable<PolicyFile['threats']>;
  readonly entries: readonly PolicyEntry[];
  readonly exceptions: readonly PolicyException[];
}

/**
 * Reads a policy from the text of a `glacis.yaml` and checks it whole: its form, and that every signer, threat and exception names
 * something that is there.
 *
 * @param where names the text in an error, usually its file
 * @throws GlacisError `policy/invalid` with line, column and path of each problem
 */
export function parsePolicy(text: string, where = 'glacis.yaml'): Policy {
  const { value, placeOf } = readYaml(text, where);
  const parsed = policySchema.safeParse(value, { error: (issue) => `=${wordsFor(issue, undefined)}` });
  const problems = parsed.success ? crossChecks(parsed.data) : schemaProblems(parsed.error.issues, value);
  if (problems.length > 0) throw unsoundPolicy(problems, where, placeOf);
  return resolved(parsed.data!);
}

function resolved({ signers, threats, defaults, models, exceptions }: PolicyFile): Policy {
  return {
    signers,
    threats: threats ?? {},
    entries: models.map(({ name, digest, stages }) => ({
      name,
      digest,
      stages: Object.fromEntries(
        Object.entries(stages).map(([stage, requirements]) => [
          stage,
          requirements.map((requirement) => ({
            ...requirement,
            id: requirement.id ?? requirement.require,
            // Sound because the checks before this found no requirement without them.
            signers: requirement.signers ?? defaults!.signers!,
            fresh:
              requirement.require === 'signature'
                ? Number.POSITIVE_INFINITY
                : (requirement.fresh ?? defaults!.fresh!),
          })),
        ]),
      ),
    })),
    exceptions: exceptions ?? [],
  };
}

/** The error for a stage that no entry has: a typing error, and no verdict. */
export function unknownStage(policy: Policy, stage: string): GlacisError {
  const stages = [...new Set(policy.entries.flatMap((entry) => Object.keys(entry.stages)))];
  return new GlacisError(
    'option/invalid',
    `stage: expected ${stages.join(' or ')}, as the policy has them, got '${stage}'${suggestion(stage, stages)}`,
  );
}
