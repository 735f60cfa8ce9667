import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RULES } from '../../src/supply/scan/registry.ts';
import { ROOT } from './tree.ts';

it('docs/scanning.md is what scripts/scanning.mjs makes of the registry', () => {
  const script = join(ROOT, 'scripts/scanning.mjs');
  const page = execFileSync(process.execPath, [script, '--print'], { encoding: 'utf8' });
  const file = readFileSync(join(ROOT, 'docs/scanning.md'), 'utf8').replaceAll('\r\n', '\n');
  expect(file, 'run: node scripts/run.mjs scripts/scanning.mjs').toBe(page);
});

it('every rule says what, why and where it is filed', () => {
  for (const { id, title, why, taxonomy } of RULES) {
    expect(id).toMatch(/^[a-z0-9-]+\/[a-z0-9-]+$/);
    expect(title.length, id).toBeGreaterThan(5);
    expect(why, id).toMatch(/\.$/);
    for (const entry of taxonomy)
      expect(entry, id).toMatch(
        /^(AML\.T\d{4}(\.\d{3})?|ML\d\d:2023|NISTAML\.\d+|CWE-\d+|CVE-\d{4}-\d+|LLM\d\d:2025)$/,
      );
  }
});
