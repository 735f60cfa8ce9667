import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { zip } from '../../src/supply/scan/container/zip.fixture.ts';
import { op, PAYLOAD, pickle } from '../../src/supply/scan/pickle/pickle.fixture.ts';
import { dict, floats, tensor, torchZip } from '../../src/supply/scan/torch/torch.fixture.ts';
import { glacis } from './cli.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'glacis-scan-cli-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));
const run = (...args: string[]) => glacis(['scan', ...args], { cwd: home });
const lay = (name: string, content: Uint8Array | string) => writeFileSync(join(home, name), content);
const read = (name: string) => readFileSync(join(home, name), 'utf8');

describe('glacis scan', () => {
  it('leaves with 0 when all is clean, 2 when something is unreadable, 1 when something is wrong, and 1 where both hold', async () => {
    lay('clean.pkl', pickle(op('NONE')));
    lay('notes.md', 'words');
    expect(await run('.')).toMatchObject({ code: 0, stdout: expect.stringContaining('clean: 1 file') });
    expect((await run('.', 'missing')).code).toBe(2);
    lay('suspicious.pkl', pickle(op('EXT1', 1)));
    expect((await run('suspicious.pkl')).code).toBe(1);
    lay('evil.zip', zip([{ name: 'a\u202eb', content: pickle(PAYLOAD) }]));
    const found = await run('.', 'missing', '--json', 'out.json', '--sarif', 'out.sarif');
    expect(found.code).toBe(1);
    expect(found.stdout).toMatch(/MALICIOUS {3}evil\.zip {2}\(zip\)/);
    expect(found.stdout).toContain('os.system, called with ("echo harmless")');
    expect(found.stdout).not.toContain('\u202e');
    const { schema, verdict, files } = JSON.parse(read('out.json'));
    expect([schema, verdict]).toEqual(['glacis.scan/1', 'malicious']);
    const evil = files.find(({ path }: { path: string }) => path === 'evil.zip');
    expect(evil.findings[0]).toMatchObject({
      rule: 'pickle/dangerous-name',
      verdict: 'malicious',
      severity: 'critical',
      where: { path: 'evil.zip!a\u202eb' },
    });
    expect(evil.findings[0].taxonomy).toContain('CWE-502');
    const [sarif] = JSON.parse(read('out.sarif')).runs;
    expect(sarif.results.map(({ ruleId }: { ruleId: string }) => ruleId)).toContain('pickle/dangerous-name');
    expect(sarif.invocations[0].executionSuccessful).toBe(false);
  });

  it('writes the tensors of a checkpoint as safetensors, a malicious one included, and still says what it is', async () => {
    const root = dict([
      ['w', tensor({ key: '0', elements: 2, shape: [2], strides: [1] })],
      ['x', PAYLOAD],
    ]);
    lay('model.pt', torchZip(root, { 0: floats(1, 2) }));
    const { code, stderr } = await run('model.pt', '--safe-rewrite', 'model.safetensors');
    expect(code).toBe(1);
    expect(stderr).toContain('1 tensors, 8 bytes: model.safetensors');
    expect(await run('model.safetensors')).toMatchObject({ code: 0 });
  });

  it('says what is wrong with its options', async () => {
    expect(await run()).toMatchObject({ code: 2, stderr: expect.stringContaining('at least one PATH') });
    lay('a', 'x');
    expect(await run('a', 'a', '--safe-rewrite', 'b')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('one PATH'),
    });
    expect(await run('a', '--seconds', '0')).toMatchObject({ code: 2 });
  });
});
