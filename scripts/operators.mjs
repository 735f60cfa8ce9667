/**
 * `node scripts/run.mjs scripts/operators.mjs` writes docs/operators.md from the registries of gradient rules, lowerings
 * and upgrades; `--print` writes it to standard output instead, which is how a test holds the file up to date.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { INTERNAL_DOMAIN } from '../src/onnx/internal-operators.ts';
import { GRADIENT_RULES } from '../src/transform/gradient/registry.ts';
import { LOWERINGS } from '../src/transform/lower/registry.ts';
import { UPGRADES } from '../src/transform/upgrade/registry.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const page = operatorsPage();
if (process.argv.includes('--print')) process.stdout.write(page);
else writeFileSync(join(root, 'docs/operators.md'), page);

function operatorsPage() {
  // Operators that no file holds are not for readers.
  const rules = GRADIENT_RULES.filter((r) => r.domain !== INTERNAL_DOMAIN);
  const differentiable = [...rules.map(ruleRow), ...LOWERINGS.map(rewritingRow('lowering'))];
  const upgraded = UPGRADES.map(rewritingRow('upgrade'));
  return `# Operators

<!-- Made by scripts/operators.mjs from the registries in src/transform; do not edit. -->

## Operators with a gradient

- **rule**: the gradient is written down for this operator. **lowering**: the operator is first written as operators that
  have one.
- **since**: the first opset whose meaning of the operator is covered; older ones are upgraded where the last table says so.
- **per sample**: the gradient with respect to weights can be had for every sample by itself.
- **rounding** (\`zero\` or \`straight-through\`) chooses what rounding, sign, comparisons and whole numbers pass on.
- In the notes, \`g\` is the gradient of the result, \`x̄\` that of \`x\`, and \`Σ_b\` sums the axes that broadcasting stretched.

Results that are integers or bools (\`ArgMax\`, \`Shape\`, \`IsNaN\` and so on) stop the gradient and need no rule; straight-through, comparisons and casts
to whole numbers that become floats again (by \`Cast\` or \`Where\`) pass it, but for those that only switch other values on and off. An
operator that is missing here has no gradient: Glacis names all of them at once. Attacks that only need the model's answers
are on the [roadmap](roadmap.md).

${table(differentiable)}

## Upgrades

${upgraded.length > 0 ? `Nodes of old opsets that are rewritten in their present form.\n\n${table(upgraded)}` : 'None.'}
`;
}

function ruleRow({ op, domain, since, perSample, note }) {
  return { op, domain, since: String(since), how: 'rule', perSample: perSample ? 'yes' : '', note };
}

function rewritingRow(how) {
  return ({ op, domain, since, until, note }) => {
    const opsets = Number.isFinite(until) ? `${since}–${until}` : String(since);
    return { op, domain, since: opsets, how, perSample: '', note };
  };
}

function table(rows) {
  const keyOf = (row) => `${row.op} ${row.domain} ${row.how} ${row.since}`;
  const sorted = rows.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const lines = sorted.map(
    (r) =>
      `| ${r.op} | ${r.domain || 'ai.onnx'} | ${r.since} | ${r.how} | ${r.perSample} | ${r.note.replaceAll('|', '\\|')} |`,
  );
  return [
    '| operator | domain | since | how | per sample | note |',
    '|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}
