import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SAMPLES, tokenSource } from '../../src/supply/secrets/tokens.fixture.ts';
import { glacis } from './cli.ts';

const token = SAMPLES['huggingface-token']!(tokenSource(5))[0];

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'glacis-secrets-cli-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));
const run = (...args: string[]) => glacis(['secrets', ...args], { cwd: home });
const lay = (name: string, text: string) => writeFileSync(join(home, name), text);
const read = (name: string) => readFileSync(join(home, name), 'utf8');

describe('glacis secrets', () => {
  it('leaves with 0 without secrets, 1 with one, 2 where a file could not be read, and 1 where both hold', async () => {
    lay('clean.txt', 'nothing here\n');
    expect(await run('.')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('No secrets found in 1 file'),
    });
    expect((await run('clean.txt', 'missing.txt')).code).toBe(2);
    lay('x.env', `HF_TOKEN=${token}\n`);
    const found = await run('.', 'missing.txt', '--json', 'out.json', '--sarif', 'out.sarif');
    expect(found.code).toBe(1);
    expect(found.stdout).toContain('line 1');
    for (const text of [found.stdout, found.stderr, read('out.json'), read('out.sarif')])
      expect(text).not.toContain(token.slice(3, 12));
    const { schema, findings } = JSON.parse(read('out.json'));
    expect([schema, findings[0].rule, findings[0].taxonomy[0]]).toEqual([
      'glacis.secrets/1',
      'secrets/huggingface-token',
      'AML.T0055',
    ]);
    const [sarif] = JSON.parse(read('out.sarif')).runs;
    expect(sarif.results[0].locations[0].physicalLocation).toEqual({
      artifactLocation: { uri: 'x.env' },
      region: { startLine: 1, startColumn: 10 },
    });
    expect(sarif.invocations[0].executionSuccessful).toBe(false);
  });

  it('accepts a baseline, and renews it under the same salt', async () => {
    lay('x.env', `HF_TOKEN=${token}\n`);
    expect((await run('x.env', '--write-baseline', 'b.json')).code).toBe(0);
    expect(await run('x.env', '--baseline', 'b.json')).toMatchObject({
      code: 0,
      stdout: /1 in the baseline/,
    });
    const before = read('b.json');
    expect((await run('x.env', '--baseline', 'b.json', '--write-baseline', 'b.json')).code).toBe(0);
    expect(read('b.json')).toBe(before);
  });

  it('strips notebooks first, and still finds what is in the source', async () => {
    const cell = (source: string) => ({
      cell_type: 'code',
      execution_count: 1,
      metadata: {},
      source,
      outputs: [{ output_type: 'stream', name: 'stdout', text: token }],
    });
    const notebook = (source: string) =>
      `${JSON.stringify({ cells: [cell(source)], metadata: {}, nbformat: 4 }, null, 1)}\n`;
    lay('a.ipynb', notebook('print(token)'));
    expect((await run('a.ipynb')).code).toBe(1);
    expect((await run('--strip-notebook', 'a.ipynb')).code).toBe(0);
    expect(read('a.ipynb')).not.toContain(token);
    lay('b.ipynb', notebook(`t = "${token}"`));
    expect((await run('--strip-notebook', 'b.ipynb')).code).toBe(1);
    lay('c.ipynb', 'no notebook');
    lay('d.ipynb', notebook('x'));
    expect((await run('--strip-notebook', 'd.ipynb', 'c.ipynb')).code).toBe(2);
    expect(read('d.ipynb')).toContain(token);
  });

  it('looks at the index of Git', async () => {
    execFileSync('git', ['init', '-q'], { cwd: home });
    lay('x.env', `HF_TOKEN=${token}\n`);
    expect((await run('--staged')).code).toBe(0);
    execFileSync('git', ['add', 'x.env'], { cwd: home });
    expect((await run('--staged')).code).toBe(1);
  });

  it('refuses to guess what to look at', async () => {
    for (const args of [[], ['--staged', '.'], ['.', '--baseline', 'none.json'], ['.', '--no-such']])
      expect((await run(...args)).code, args.join(' ')).toBe(2);
  });
});
