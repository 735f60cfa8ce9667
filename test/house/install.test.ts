import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { staleReason } from '../../scripts/install.mjs';

interface Entry {
  readonly version: string;
  readonly integrity: string;
  readonly optional?: boolean;
}

let root: string;
const wanted: Readonly<Record<string, Entry>> = {
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/other-platform': { version: '1.0.0', integrity: 'sha512-o', optional: true },
};

/** A lock file that asks for `wanted` and a record that says `installed` is there, with its folders. */
function lay(installed: Readonly<Record<string, Entry>> | undefined): void {
  writeFileSync(
    join(root, 'package-lock.json'),
    JSON.stringify({ packages: { '': { name: 'x' }, ...wanted } }),
  );
  if (installed === undefined) return;
  for (const path of Object.keys(installed)) mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, 'node_modules/.package-lock.json'), JSON.stringify({ packages: installed }));
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'glacis-install-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('whether packages need installing', () => {
  const a = wanted['node_modules/a']!;

  it('does not ask for another platform’s package', () => {
    lay({ 'node_modules/a': a });
    expect(staleReason(root)).toBeUndefined();
  });

  it('asks in a fresh clone', () => {
    lay(undefined);
    expect(staleReason(root)).toBe('node_modules is not installed yet');
  });

  it('asks when the lock file has moved on', () => {
    lay({ 'node_modules/a': { ...a, version: '0.9.0' } });
    expect(staleReason(root)).toMatch(/node_modules\/a is not the version/);
    lay({ 'node_modules/a': { ...a, integrity: 'sha512-b' } });
    expect(staleReason(root)).toMatch(/node_modules\/a is not the version/);
  });

  it('asks when a package or its folder is missing', () => {
    mkdirSync(join(root, 'node_modules'));
    lay({});
    expect(staleReason(root)).toBe('node_modules/a is missing');
    lay({ 'node_modules/a': a });
    rmSync(join(root, 'node_modules/a'), { recursive: true });
    expect(staleReason(root)).toBe('node_modules/a is missing');
  });

  it('asks when the record is damaged', () => {
    lay({ 'node_modules/a': a });
    writeFileSync(join(root, 'node_modules/.package-lock.json'), '{');
    expect(staleReason(root)).toMatch(/cannot be read/);
  });
});
