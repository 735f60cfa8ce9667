import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { command } from '../../src/cli/secrets.ts';
import { findSecrets } from '../../src/supply/secrets/find-secrets.ts';
import { ROOT } from './tree.ts';

it('docs/secrets.md holds the table that scripts/secrets.mjs makes of the rules', () => {
  const script = join(ROOT, 'scripts/secrets.mjs');
  const page = execFileSync(process.execPath, [script, '--print'], { encoding: 'utf8' });
  const file = readFileSync(join(ROOT, 'docs/secrets.md'), 'utf8').replaceAll('\r\n', '\n');
  expect(file, 'run: node scripts/run.mjs scripts/secrets.mjs').toBe(page);
});

it('the pre-commit hooks call options that exist', () => {
  const hooks = parse(readFileSync(join(ROOT, '.pre-commit-hooks.yaml'), 'utf8')) as { entry: string }[];
  expect(hooks).toHaveLength(2);
  for (const { entry } of hooks) {
    const [program, name, ...options] = entry.split(' ');
    expect([program, name]).toEqual(['glacis', 'secrets']);
    for (const option of options)
      expect(['quiet', ...Object.keys(command.options)]).toContain(option.replace('--', ''));
  }
});

it('the repository holds no secret', async () => {
  const places = ['src', 'test', 'docs', 'scripts', 'examples', 'bench/suites', 'bench/peers', '.ci'];
  const { findings } = await findSecrets(places.map((place) => join(ROOT, place)));
  expect(findings.map(({ rule, where }) => `${rule} ${where.path}:${where.line}`)).toEqual([]);
});
