import { POLICY_SCHEMA } from '../schema/policy.ts';
import { coverageOf } from '../taxonomy/coverage.ts';
import { nameOfEntry } from '../taxonomy/taxonomies.ts';
import { type Chosen, chosenFor } from './chosen.ts';
import { ACCESSES, ATTACKERS, STAKES, type ThreatModel } from './threat-model.ts';

/** How fingerprints begin that are to be filled in: no key has one, so nothing passes before. */
export const TO_FILL_IN = `sha256:${'0'.repeat(62)}`;

/**
 * A first `glacis.yaml` as text: each requirement with the reason and with what public taxonomies call the threat. Values in quotes are
 * written so that they cannot become anything but a text.
 */
export function writePolicy(model: ThreatModel): string {
  const { attackers, access, stakes, norm, eps, models, signers } = model;
  const chosen = chosenFor(model);
  const early = chosen.filter((each) => each.early);
  const names = ['release', 'ci'];
  const lines = [
    '# What evidence a model needs before it may be promoted or served.',
    '# Check this file with:  glacis policy check glacis.yaml',
    '# See what it means with: glacis policy explain glacis.yaml',
    '#',
    '# The threat model that it was made from:',
    ...attackers.map((each) => `#   who attacks: ${each} (${ATTACKERS[each]})`),
    ...access.map((each) => `#   with: ${each} (${ACCESSES[each]})`),
    ...stakes.map((each) => `#   at stake: ${each} (${STAKES[each]})`),
    `schema: ${POLICY_SCHEMA}`,
    '',
    '# Who may vouch, by the fingerprint of their public key: glacis policy key FILE.pub',
    'signers:',
    ...names.flatMap((name, i) => {
      const known = Object.hasOwn(signers, name) ? signers[name] : undefined;
      return [
        `  ${name}:`,
        ...(known === undefined ? ['    # Fill this in: no key has this fingerprint.'] : []),
        `    key: '${known ?? `${TO_FILL_IN}${String(i + 1).padStart(2, '0')}`}'`,
      ];
    }),
    '',
    '# What an attacker may change in an input.',
    'threats:',
    '  small-change:',
    `    norm: ${norm}`,
    `    eps: ${eps}`,
    '',
    '# Who vouches for evidence, and how old it may be, where a requirement does not say.',
    'defaults:',
    '  signers: [ci]',
    '  fresh: 90 days',
    '',
    'models:',
    `  - name: '${models.replaceAll("'", "''")}'`,
    '    stages:',
    '      # Before others try it.',
    '      candidate:',
    ...early.flatMap((each) => requirementLines(each, 'short')),
    '',
    '      # Before it answers anybody.',
    '      production:',
    ...chosen.flatMap((each) => requirementLines(each, 'full')),
    '',
    '# What need not be met for a time. After its last day an exception has no effect.',
    'exceptions: []',
    '# exceptions:',
    '#   - requirement: scan',
    "#     model: 'my-model*'",
    '#     stage: production',
    '#     reason: the supplier answers by the end of the month',
    '#     owner: ann@example.com',
    '#     until: 2027-01-31',
    '',
  ];
  return lines.join('\n');
}

function requirementLines({ require, fields, because }: Chosen, how: 'short' | 'full'): readonly string[] {
  const { atlas, owasp, nist, aisvs } = coverageOf(require);
  const named = [...atlas, ...owasp, ...nist, ...aisvs].map((id) => `${id} ${nameOfEntry(id)}`);
  const comments = how === 'full' ? [`# ${because}`, ...named.map((each) => `#   ${each}`)] : [];
  return [
    ...comments.map((line) => `        ${line}`),
    `        - require: ${require}`,
    ...fields.map((line) => `          ${line}`),
  ];
}
