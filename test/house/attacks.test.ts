import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from './tree.ts';

it('docs/attacks.md is what scripts/attacks.mjs makes of the registry', () => {
  const script = join(ROOT, 'scripts/attacks.mjs');
  const page = execFileSync(process.execPath, [script, '--print'], { encoding: 'utf8' });
  const file = readFileSync(join(ROOT, 'docs/attacks.md'), 'utf8').replaceAll('\r\n', '\n');
  expect(file, 'run: node scripts/run.mjs scripts/attacks.mjs').toBe(page);
});
