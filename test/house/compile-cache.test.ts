import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isOwn } from '../../bin/compile-cache.mjs';
import { ROOT } from './tree.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'glacis-cache-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const MODULE = pathToFileURL(join(ROOT, 'bin/compile-cache.mjs')).href;

/** What a program says of the cache it keeps, with `env` beside its home. */
function kept(env: Record<string, string> = {}): { folder: string | undefined; named: string | undefined } {
  const script = `import { getCompileCacheDir } from 'node:module'; import { keepCompiledCode } from '${MODULE}';
    keepCompiledCode(); console.log(JSON.stringify({ folder: getCompileCacheDir(), named: process.env.NODE_COMPILE_CACHE }));`;
  const { PATH } = process.env;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { PATH, HOME: home, ...env } as NodeJS.ProcessEnv,
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

describe.skipIf(process.getuid === undefined)('compiled code', () => {
  it('is kept in the cache folder of the user, which nobody else may enter, and threads are told', () => {
    const { folder, named } = kept();
    expect(named).toBe(join(home, '.cache/glacis/compiled'));
    expect(folder?.startsWith(named!)).toBe(true);
    expect(readdirSync(join(home, '.cache/glacis'))).toEqual(['compiled']);
    const elsewhere = join(home, 'elsewhere');
    expect(kept({ XDG_CACHE_HOME: elsewhere }).named).toBe(join(elsewhere, 'glacis/compiled'));
  });

  it('is not kept where somebody decided otherwise, or nothing can be written', () => {
    expect(kept({ NODE_DISABLE_COMPILE_CACHE: '1' })).toEqual({});
    const own = join(home, 'own');
    expect(kept({ NODE_COMPILE_CACHE: own }).named).toBe(own);
    expect(existsSync(join(home, '.cache'))).toBe(false);
    writeFileSync(join(home, '.cache'), 'no folder');
    expect(kept()).toEqual({});
  });

  it('is not kept in a folder that another can write', () => {
    mkdirSync(join(home, '.cache/glacis/compiled'), { recursive: true });
    chmodSync(join(home, '.cache/glacis/compiled'), 0o777);
    expect(kept()).toEqual({});
  });
});

describe.skipIf(process.getuid === undefined)('a folder is the own one', () => {
  const user = process.getuid?.() ?? 0;
  const folder = () => join(home, 'a/b');
  beforeEach(() => mkdirSync(folder(), { recursive: true, mode: 0o700 }));

  it('where it belongs to the user and nobody else can write it or a folder above it', () => {
    // The system's folder for temporary files is written by all, but nobody can move what is not theirs.
    expect(isOwn(folder(), user)).toBe(true);
  });

  it.each([0o720, 0o702, 0o1777])('unless it is open: %s', (mode) => {
    chmodSync(folder(), mode);
    expect(isOwn(folder(), user)).toBe(false);
  });

  it.each([0o770, 0o707])('unless a folder above it is open: %s', (mode) => {
    chmodSync(join(home, 'a'), mode);
    expect(isOwn(folder(), user)).toBe(false);
  });

  it('unless it belongs to another', () => {
    expect(isOwn(folder(), user + 1)).toBe(false);
    // A system folder above it is trusted, as the folder itself it is not.
    expect(isOwn('/', user === 0 ? 1 : user)).toBe(false);
  });

  it('unless a link leads there, or it is a file', () => {
    symlinkSync(folder(), join(home, 'link'));
    expect(isOwn(join(home, 'link'), user)).toBe(false);
    symlinkSync(join(home, 'a'), join(home, 'above'));
    expect(isOwn(join(home, 'above/b'), user)).toBe(false);
    writeFileSync(join(home, 'file'), '', { mode: 0o600 });
    expect(isOwn(join(home, 'file'), user)).toBe(false);
  });

  it('where owners can be told at all', () => {
    const { getuid } = process;
    Reflect.deleteProperty(process, 'getuid');
    try {
      expect(isOwn(folder())).toBe(false);
    } finally {
      process.getuid = getuid!;
    }
  });
});
