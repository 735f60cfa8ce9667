import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './tree.ts';

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<
  string,
  Record<string, string>
>;
const document = readFileSync(join(ROOT, 'docs/dependencies.md'), 'utf8');
/** The table rows as cells; the first cell holds the package names in backquotes. */
const rows = document
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
const documented = rows.flatMap(([names]) =>
  [...(names ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1]),
);

describe('docs/dependencies.md', () => {
  it('lists exactly the dependencies of package.json', () => {
    const kinds = ['dependencies', 'devDependencies', 'optionalDependencies'];
    const declared = kinds.flatMap((kind) => Object.keys(manifest[kind] ?? {}));
    expect(documented.sort()).toEqual(declared.sort());
  });

  it('gives each a licence, a reason and the alternatives', () => {
    for (const row of rows) {
      expect(row.length, row[0]).toBe(4);
      for (const cell of row) expect(cell, row[0]).not.toBe('');
    }
  });

  it('has exact versions to pin', () => {
    for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies']) {
      for (const [name, version] of Object.entries(manifest[kind] ?? {}))
        expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    }
  });
});
