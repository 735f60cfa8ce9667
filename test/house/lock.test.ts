import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './tree.ts';

interface Locked {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly hasInstallScript?: boolean;
}

const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, Locked>>;
};
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly allowScripts: Readonly<Record<string, boolean>>;
};
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
const nameOf = (path: string): string =>
  path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

describe('package-lock.json', () => {
  it('holds every package that another asks for, other platforms included: `npm ci` refuses a lock with holes', () => {
    const held = new Set(packages.map(([path]) => nameOf(path)));
    const holes = packages.flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !held.has(name))
        .map((name) => `${path} needs ${name}`),
    );
    expect(holes).toEqual([]);
  });

  it('pins every package by its hash and names no registry', () => {
    expect(packages.filter(([, { integrity }]) => integrity === undefined).map(([path]) => path)).toEqual([]);
    expect(packages.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
  });

  it('lets no install script run', () => {
    const withScripts = packages.filter(([, { hasInstallScript }]) => hasInstallScript === true);
    expect(
      withScripts.map(([path]) => nameOf(path)).filter((name) => manifest.allowScripts[name] !== false),
    ).toEqual([]);
  });
});
