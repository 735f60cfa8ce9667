import { sentenceFor } from '../gate/words.ts';
import { TO_FILL_IN } from '../init/write-policy.ts';
import type { Policy, PolicyEntry } from '../read-policy.ts';
import { coverageOf } from '../taxonomy/coverage.ts';
import { nameOfEntry } from '../taxonomy/taxonomies.ts';

/** What a policy asks for, entry by entry and stage by stage, in sentences; with `taxonomy`, what each requirement guards against. */
export function explainPolicy(policy: Policy, options: { readonly taxonomy: boolean }): string {
  return [
    ...policy.entries.flatMap((entry) => [
      `Models ${entry.digest ? `with the digest ${entry.digest}` : `named ${entry.name}`}`,
      ...Object.keys(entry.stages).flatMap((stage) => [
        `  for ${stage}`,
        ...stageLines(policy, entry, stage, options),
      ]),
      '',
    ]),
    ...(policy.exceptions.length > 0 ? ['Exceptions', ...policy.exceptions.map(exceptionLine), ''] : []),
  ].join('\n');
}

function stageLines(
  policy: Policy,
  entry: PolicyEntry,
  stage: string,
  { taxonomy }: { readonly taxonomy: boolean },
): readonly string[] {
  return entry.stages[stage]!.flatMap((requirement) => {
    const { atlas, owasp, nist, aisvs } = coverageOf(requirement.require);
    const ids = taxonomy ? [...atlas, ...owasp, ...nist, ...aisvs] : [];
    return [
      `    ${requirement.id}: ${sentenceFor(requirement, policy)}`,
      ...ids.map((id) => `      ${id} ${nameOfEntry(id)}`),
    ];
  });
}

function exceptionLine({
  requirement,
  model,
  stage,
  reason,
  owner,
  until,
}: Policy['exceptions'][number]): string {
  return `  ${requirement} of ${model} for ${stage} until ${until.text}: ${reason} (${owner})`;
}

/** What is worth a second look in a policy that is well-formed: it is no error, but seldom meant. */
export function adviceOn(policy: Policy, now: number): readonly string[] {
  const year = 366 * 86_400_000;
  return [
    ...policy.entries.flatMap((entry) =>
      Object.entries(entry.stages)
        .filter(([, requirements]) => !requirements.some(({ require }) => require === 'signature'))
        .map(
          ([stage]) =>
            `${entry.name ?? entry.digest}, ${stage}: no signature is required; without one, files may have changed their names unnoticed`,
        ),
    ),
    ...policy.exceptions.flatMap(({ requirement, stage, until }) =>
      !(now <= until.end)
        ? [`the exception from ${requirement} for ${stage} ended on ${until.text}; it has no effect`]
        : until.end - now > year
          ? [`the exception from ${requirement} for ${stage} lasts until ${until.text}, more than a year`]
          : [],
    ),
    ...Object.entries(policy.signers)
      .filter(([, { key }]) => key?.startsWith(TO_FILL_IN))
      .map(([name]) => `the fingerprint of ${name} is still to be filled in (glacis policy key FILE.pub)`),
    ...unused(policy),
  ];
}

function unused({ signers, threats, entries }: Policy): readonly string[] {
  const requirements = entries.flatMap(({ stages }) => Object.values(stages).flat());
  const vouching = new Set(requirements.flatMap((each) => each.signers));
  const named = new Set(requirements.flatMap((each) => ('threat' in each ? [each.threat] : [])));
  return [
    ...Object.keys(signers)
      .filter((name) => !vouching.has(name))
      .map((name) => `the signer ${name} vouches for nothing`),
    ...Object.keys(threats)
      .filter((name) => !named.has(name))
      .map((name) => `the threat ${name} is in no requirement`),
  ];
}
