/**
 * `node scripts/run.mjs scripts/attacks.mjs` writes docs/attacks.md from the registry of attacks; `--print` writes it to
 * standard output instead, which is how a test holds the file up to date.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EVASION_ATTACKS } from '../src/attack/registry.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const strength = join(root, 'bench/results/strength.md');

const page = attacksPage();
if (process.argv.includes('--print')) process.stdout.write(page);
else writeFileSync(join(root, 'docs/attacks.md'), page);

function attacksPage() {
  const seeing = (needs) => EVASION_ATTACKS.filter((a) => a.needs === needs);
  return `# The attacks

<!-- Made by scripts/attacks.mjs from the registry in src/attack; do not edit. -->

How to run them and what the figures mean: [evasion.md](evasion.md). \`glacis attack --list NAME\` shows one with its options.

- **finds**: \`ball\` looks for an example within \`--eps\`; \`minimum\` for the nearest one, so that one run serves every eps; others have
  a threat of their own.
- **cost**: gradients + plain answers per sample that never falls, with the default options. A sample that falls leaves at once.

## With the model file
${table(seeing('gradient'))}

## With the scores of an endpoint
They work on files, too, and see what gradients hide.

${table(seeing('scores'))}

## With the first answer only
${table(seeing('labels'))}

## Options and their defaults
${EVASION_ATTACKS.map(optionsOf).join('\n')}

## An attack of your own
[examples/own-attack](../examples/own-attack/README.md) writes one in forty lines and runs it through the same runner, which checks every
example.
${existsSync(strength) ? `\n${readFileSync(strength, 'utf8').trim()}\n` : ''}`;
}

function table(attacks) {
  if (attacks.length === 0) return 'None yet.';
  const lines = attacks.map((a) => {
    const { gradients, evaluations } = a.cost(a.defaults);
    const budget = a.threat ? a.threat.id : a.norms.join(', ');
    const finds = a.seeks === 'other' ? a.threat.id : a.seeks;
    const cells = [
      `\`${a.id}\``,
      a.title,
      finds,
      budget,
      `${count(gradients)} + ${count(evaluations)}`,
      a.use,
      `[source](${a.source})`,
    ];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [
    '| name | attack | finds | norms | cost | when to use it | |',
    '|---|---|---|---|---:|---|---|',
    ...lines,
  ].join('\n');
}

function optionsOf({ id, defaults }) {
  const options = Object.entries(defaults).map(([key, value]) => `${key}=${value}`);
  return `- \`${id}${options.length > 0 ? `(${options.join(', ')})` : ''}\``;
}

function count(n) {
  return Math.round(n).toLocaleString('en-US');
}
