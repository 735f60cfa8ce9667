import type { Attack } from '../attack/attack.ts';
import { EVASION_ATTACKS, planAttack } from '../attack/registry.ts';
import { wrapped } from './help.ts';

const SEES: Readonly<Record<Attack['needs'], string>> = {
  gradient: 'needs the model file',
  scores: 'needs the answers',
  labels: 'needs only which answer comes first',
};

const SEEKS: Readonly<Record<Attack['seeks'], string>> = {
  ball: 'an example within eps',
  minimum: 'the nearest example',
  other: 'an example in a threat of its own',
};

/** All attacks, one or two lines each. */
export function attackList(width: number): string {
  const wide = Math.max(...EVASION_ATTACKS.map((a) => a.id.length)) + 2;
  const lines = EVASION_ATTACKS.flatMap((a) => {
    const budget = a.threat?.id ?? a.norms.join(', ');
    const text = `${a.title}: ${SEES[a.needs]}; looks for ${SEEKS[a.seeks]} (${budget})`;
    const [first, ...rest] = wrapped(text, Math.max(30, width - wide));
    return [`${a.id.padEnd(wide)}${first}`, ...rest.map((line) => ' '.repeat(wide) + line)];
  });
  return [...lines, '', 'glacis attack --list NAME shows the options of one.', ''].join('\n');
}

/** One attack with its options and their defaults. Errors: `option/unknown`. */
export function attackPage(name: string, width: number): string {
  const { attack } = planAttack({ name, options: {} });
  const options = Object.entries(attack.defaults).map(([key, value]) => `  ${key}=${value}`);
  return [
    `${attack.id}: ${attack.title}`,
    ...wrapped(attack.use, width),
    '',
    `Sees:    ${SEES[attack.needs]}`,
    `Finds:   ${SEEKS[attack.seeks]} (${attack.threat?.id ?? attack.norms.join(', ')})`,
    `Source:  ${attack.source}`,
    '',
    'Options and their defaults',
    ...options,
    '',
  ].join('\n');
}
