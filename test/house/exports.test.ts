import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './tree.ts';

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string } | string>>;
};
const folders = readdirSync(join(ROOT, 'src')).filter((name) =>
  existsSync(join(ROOT, 'src', name, 'index.ts')),
);

describe('the exports of package.json', () => {
  it('are one subpath for each folder of src that has an index.ts', () => {
    const subpaths = Object.keys(manifest.exports).filter((path) => path !== './package.json');
    expect(subpaths.sort()).toEqual(folders.map((name) => `./${name}`).sort());
  });

  it('lead to what the build makes of that index.ts', () => {
    for (const name of folders) {
      const built = { types: `./dist/${name}/index.d.ts`, default: `./dist/${name}/index.js` };
      expect(manifest.exports[`./${name}`]).toEqual(built);
    }
  });
});
