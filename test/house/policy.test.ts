import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { command as gate } from '../../src/cli/gate.ts';
import { readEvidence } from '../../src/policy/evidence/read-statement.ts';
import { statementOf } from '../../src/policy/policy.fixture.ts';
import { parsePolicy } from '../../src/policy/read-policy.ts';
import { glacis } from '../end-to-end/cli.ts';
import { ROOT } from './tree.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8').replaceAll('\r\n', '\n');
const page = read('docs/policy.md');
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map((match) => match[1]!);

describe('docs/policy.md', () => {
  it('holds the tables that scripts/policy.mjs makes of the schema, and so does the JSON Schema', () => {
    const script = join(ROOT, 'scripts/policy.mjs');
    expect(() => execFileSync(process.execPath, [script, '--check'], { encoding: 'utf8' })).not.toThrow();
  });

  it('shows a policy that can be read', () => {
    const [example] = blocks('yaml').filter((text) => text.startsWith('schema:'));
    expect(parsePolicy(example!).entries).toHaveLength(1);
  });

  it('shows measures that can be read', () => {
    const [example] = blocks('json');
    const document = JSON.parse(example!);
    const [evidence] = readEvidence([statementOf(document)]);
    expect(evidence).toMatchObject({ reading: { claims: { length: 4 } } });
  });

  it('shows commands that work when they are pasted, up to the gate, which says what is still missing', async () => {
    const lines = blocks('sh').flatMap((text) => text.trim().split('\n'));
    const home = mkdtempSync(join(tmpdir(), 'glacis-policy-page-'));
    copyFileSync(join(ROOT, 'examples/traffic-signs/traffic-signs.onnx'), join(home, 'model.onnx'));
    const outcomes: { readonly line: string; readonly code: number; readonly stdout: string }[] = [];
    for (const line of lines) {
      const [, ...args] = line.replaceAll("'", '').split(' ');
      const { code, stdout } = await glacis(args, { cwd: home });
      outcomes.push({ line, code: code ?? -1, stdout });
    }
    rmSync(home, { recursive: true });
    const gated = outcomes.pop()!;
    expect(outcomes.filter(({ code }) => code !== 0)).toEqual([]);
    expect(gated.code).toBe(1);
    expect(gated.stdout).toMatch(/met {7}signature[\s\S]*met {7}scan[\s\S]*MISSING {3}secrets/);
  });
});

describe.each([
  ['the action', read('action.yml')],
  ['the template', read('templates/gate.yml')],
])('%s', (_, text) => {
  const documents = parseAllDocuments(text);

  it('is well-formed, and calls the gate with options that exist', () => {
    for (const document of documents) expect(document.errors).toEqual([]);
    const used = [...text.matchAll(/--([a-z-]+)=/g)]
      .map((match) => match[1]!)
      .filter((name) => name !== 'omit');
    expect(used).toEqual(expect.arrayContaining(['policy', 'stage', 'evidence', 'trust', 'junit', 'sarif']));
    for (const name of used) expect(Object.keys(gate.options)).toContain(name);
  });

  it('takes no input into the text of its script', () => {
    const scripts: string[] = [];
    const collect = (value: unknown) => {
      if (Array.isArray(value)) value.forEach(collect);
      else if (typeof value === 'object' && value !== null)
        for (const [key, inner] of Object.entries(value)) {
          if (key === 'run' || key === 'script') scripts.push(JSON.stringify(inner));
          else collect(inner);
        }
    };
    for (const document of documents) collect(document.toJS());
    expect(scripts.length).toBeGreaterThan(0);
    for (const script of scripts) expect(script).not.toMatch(/\$\{\{|\$\[\[/);
  });
});

it('the JSON Schema knows every kind of requirement', () => {
  const { properties } = parse(read('docs/glacis.schema.json')) as { properties: Record<string, unknown> };
  const { serve, ...policy } = properties;
  expect(Object.keys((serve as { properties: object }).properties)).toContain('models');
  const kinds = JSON.stringify(policy).match(/"const":"[a-zA-Z]+"/g);
  expect(new Set(kinds).size).toBe(13);
});
