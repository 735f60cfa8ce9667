import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from './tree.ts';

it('docs/operators.md is what scripts/operators.mjs makes of the registries', () => {
  const script = join(ROOT, 'scripts/operators.mjs');
  const page = execFileSync(process.execPath, [script, '--print'], { encoding: 'utf8' });
  const file = readFileSync(join(ROOT, 'docs/operators.md'), 'utf8').replaceAll('\r\n', '\n');
  expect(file, 'run: node scripts/run.mjs scripts/operators.mjs').toBe(page);
});
