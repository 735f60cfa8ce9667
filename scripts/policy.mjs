// Writes the tables of requirements in docs/policy.md and the JSON Schema docs/glacis.schema.json from the schema that reads policies.
//   node scripts/run.mjs scripts/policy.mjs          writes both
//   node scripts/run.mjs scripts/policy.mjs --check  compares them, for a test
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { serveSchema } from '../src/gateway/config/serve-schema.ts';
import { policyJsonSchema } from '../src/policy/schema/json-schema.ts';
import { requirement } from '../src/policy/schema/requirements.ts';
import { coverageOf } from '../src/policy/taxonomy/coverage.ts';

const [BEGIN, END] = ['<!-- requirements: made by scripts/policy.mjs -->', '<!-- end of requirements -->'];
// Fields that every kind has; described once.
const SHARED = ['require', 'id', 'signers', 'fresh'];

const page = new URL('../docs/policy.md', import.meta.url);
const schema = new URL('../docs/glacis.schema.json', import.meta.url);

const before = readFileSync(page, 'utf8').replaceAll('\r\n', '\n');
const [head, rest = ''] = before.split(BEGIN);
const [, tail = ''] = rest.split(END);
const files = [
  [page, before, `${head}${BEGIN}\n\n${requirementTables()}\n${END}${tail}`],
  [schema, textOf(schema), `${JSON.stringify(withServe(policyJsonSchema()), null, 2)}\n`],
];
if (process.argv.includes('--check')) {
  const stale = files.filter(([, is, should]) => is !== should).map(([file]) => file.pathname);
  if (stale.length > 0) {
    console.error(`stale: ${stale.join(', ')}; run: node scripts/run.mjs scripts/policy.mjs`);
    process.exitCode = 1;
  }
} else for (const [file, , text] of files) writeFileSync(file, text);

// Policies know nothing of the gateway, which is a floor above: its section joins them here.
function withServe(schema) {
  const { $schema: _, ...serve } = z.toJSONSchema(serveSchema, { io: 'input', target: 'draft-2020-12' });
  return { ...schema, properties: { ...schema.properties, serve } };
}

function textOf(file) {
  try {
    return readFileSync(file, 'utf8').replaceAll('\r\n', '\n');
  } catch {
    return '';
  }
}

function requirementTables() {
  const sections = requirement.options.map((option) => {
    const { shape } = option;
    const kind = shape.require.value;
    const { atlas, owasp, nist, aisvs } = coverageOf(kind);
    const fields = Object.entries(shape).filter(([name]) => !SHARED.includes(name));
    const table =
      fields.length === 0
        ? []
        : [
            '',
            '| field | must be given | what it says |',
            '|---|---|---|',
            ...fields.map(
              ([name, field]) =>
                `| \`${name}\` | ${field.safeParse(undefined).success ? 'no' : 'yes'} | ${field.description ?? ''} |`,
            ),
          ];
    return [
      `### \`${kind}\``,
      `${option.description ?? ''} *(${[...atlas, ...owasp, ...nist, ...aisvs].join(', ')})*`,
      ...table,
      '',
    ].join('\n');
  });
  return sections.join('\n');
}
