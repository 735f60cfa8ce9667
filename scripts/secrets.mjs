/**
 * `node scripts/run.mjs scripts/secrets.mjs` writes the table of rules into docs/secrets.md; `--print` writes the page to
 * standard output instead, which is how a test holds the file up to date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SECRET_RULE_GROUPS } from '../src/supply/secrets/rules/registry.ts';

const path = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs/secrets.md');
const BEGIN = '<!-- Made by scripts/secrets.mjs from the rules in src/supply/secrets; do not edit. -->';
const END = '<!-- End of the rules. -->';

const [before, rest] = readFileSync(path, 'utf8').replaceAll('\r\n', '\n').split(BEGIN);
const after = rest.split(END)[1];
const page = `${before}${BEGIN}\n\n${SECRET_RULE_GROUPS.map(tableOf).join('\n\n')}\n\n${END}${after}`;
if (process.argv.includes('--print')) process.stdout.write(page);
else writeFileSync(path, page);

function tableOf([about, rules]) {
  const rows = rules.map(
    ({ id, title, severity, source }) => `| \`${id}\` | ${title} | ${severity} | [source](${source}) |`,
  );
  return [`### ${about}`, '', '| rule | finds | severity | |', '|---|---|---|---|', ...rows].join('\n');
}
