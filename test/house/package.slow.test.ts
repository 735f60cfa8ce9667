import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './tree.ts';

/** The published package: packed, installed into an empty folder elsewhere, and run. Reaches the npm registry. */
let home: string;
const installed = (): string => join(home, 'node_modules/glacis');

function run(command: string, args: readonly string[], cwd = home) {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8', shell: process.platform === 'win32' });
  return { status: result.status, stdout: result.stdout, stderr: result.stderr };
}

/** Runs the installed launcher under this process's Node 24, without what a clone's `npm test` puts into PATH. */
function glacis(...args: readonly string[]) {
  return run(process.execPath, [join(installed(), 'bin/glacis.mjs'), ...args]);
}

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'glacis-package-'));
  const packed = run(process.execPath, [join(ROOT, 'scripts/pack.mjs'), home], ROOT);
  if (packed.status !== 0) throw new Error(`pack failed:\n${packed.stdout}${packed.stderr}`);
  writeFileSync(
    join(home, 'package.json'),
    JSON.stringify({ name: 'elsewhere', private: true, allowScripts: { 'onnxruntime-node': false } }),
  );
  const install = [
    'install',
    '--omit=dev',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    packed.stdout.trim(),
  ];
  const { status, stderr } = run('npm', install);
  if (status !== 0) throw new Error(`npm install failed:\n${stderr}`);
});

afterAll(() => rmSync(home, { recursive: true, force: true }));

describe('the published package', () => {
  it('brings no Node, no development tools and no scripts', () => {
    const manifest = JSON.parse(readFileSync(join(installed(), 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    for (const field of ['private', 'scripts', 'devDependencies', 'optionalDependencies', 'allowScripts']) {
      expect(manifest).not.toHaveProperty(field);
    }
    expect(manifest.engines).toEqual({ node: '>=24' });
    expect(
      readdirSync(join(home, 'node_modules')).filter((name) => /^node-(bin-)?(linux|darwin|win)/.test(name)),
    ).toEqual([]);
    expect(existsSync(join(home, 'node_modules/typescript'))).toBe(false);
  });

  it('holds compiled JavaScript with declarations, and neither sources nor tests', () => {
    const files = readdirSync(installed(), { recursive: true }).map(String);
    expect(files).toContain(join('dist', 'core', 'error.js'));
    expect(files).toContain(join('dist', 'core', 'error.d.ts'));
    expect(files).toContain(join('dist', 'runtime', 'worker.js'));
    expect(files.filter((file) => file.includes('onnx_pb'))).toEqual([]);
    expect(files).toContain('LICENSE');
    expect(
      files.filter((f) => /\.(test|fixture)\.|^src/.test(f) || (f.endsWith('.ts') && !f.endsWith('.d.ts'))),
    ).toEqual([]);
  });

  it('serves each exported subpath', () => {
    const manifest = JSON.parse(readFileSync(join(installed(), 'package.json'), 'utf8')) as {
      exports?: Record<string, unknown>;
    };
    const subpaths = Object.keys(manifest.exports ?? {}).filter((path) => path !== './package.json');
    expect(subpaths.length).toBeGreaterThan(0);
    const load = subpaths
      .map((path) => `await import(${JSON.stringify(`glacis${path.slice(1)}`)});`)
      .join('\n');
    writeFileSync(join(home, 'load.mjs'), `${load}\nconsole.log('loaded');`);
    expect(run(process.execPath, ['load.mjs'])).toEqual({ status: 0, stdout: 'loaded\n', stderr: '' });
  });

  it('says its version and its help, and finds its engine', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const said = glacis('--version');
    expect(said.stderr).toBe('');
    expect(said.stdout).toContain(version);
    expect(said.status).toBe(0);
    const help = glacis('--help');
    expect(help.stdout).toMatch(/assess/);
    expect(help.status).toBe(0);
    const doctor = glacis('doctor');
    expect(doctor.stdout).toMatch(/onnx ?runtime/i);
    expect(doctor.status).toBe(0);
  });

  it('refuses a wrong command with exit code 2', () => {
    expect(glacis('no-such-command').status).toBe(2);
  });
});
