import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reserve } from '../../src/privacy/ledger.ts';
import { glacis } from './cli.ts';

const DATA = `sha256:${'0'.repeat(64)}`;

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'glacis-privacy-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));
const budget = (...args: string[]) => glacis(['privacy', 'budget', ...args], { cwd: home });

describe('glacis privacy budget', () => {
  it('finds what is left out, so that the target is kept and typing it in again keeps it', async () => {
    const rest = ['--rate', '0.04', '--steps', '100', '--delta', '1e-5', '--accountant', 'rdp'];
    const found = await budget(...rest, '--target-epsilon', '3');
    expect(found.code).toBe(0);
    const noise = /noise ([\d.]+), 100 steps \(noise found for the target\)/.exec(found.stdout)?.[1];
    const again = await budget(...rest, '--target-epsilon', '3', '--noise', noise!);
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('epsilon 3: kept')]);
    const less = await budget(...rest, '--target-epsilon', '2.9', '--noise', noise!);
    expect([less.code, less.stdout]).toEqual([1, expect.stringContaining('epsilon 2.9: MISSED')]);
  });

  it('adds up what the ledger, a file and the command line have', async () => {
    const ledger = join(home, 'ledger.jsonl');
    const now = () => new Date('2026-01-02T03:04:05.678Z');
    await reserve(ledger, DATA, { rate: 0.01, noise: 2, steps: 50 }, { now, id: Buffer.alloc(16, 1) });
    writeFileSync(join(home, 'runs.json'), '[{"rate":0.01,"noise":2,"steps":30}]');
    const where = ['--data-set', DATA, '--ledger', ledger, '--delta', '1e-6', '--accountant', 'rdp'];
    const { code, stdout } = await budget(...where, '--compose', 'runs.json', '--run', '0.01,2,20');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /Ledger {2}rate 0\.01, noise 2, 50 steps \(2026-01-02, reserved, no end recorded\)/,
    );
    const alone = await budget('--run', '0.01,2,100', '--delta', '1e-6', '--accountant', 'rdp');
    expect(stdout.split('\n').at(-2)).toBe(alone.stdout.split('\n').at(-2));
  });

  it('refuses a ledger that it cannot trust', async () => {
    writeFileSync(join(home, 'bad.jsonl'), '{"schema":"glacis.privacy-ledger/1"}\n', { mode: 0o600 });
    const bad = await budget('--delta', '1e-5', '--data-set', DATA, '--ledger', 'bad.jsonl');
    expect([bad.code, bad.stdout]).toEqual([2, '']);
    expect(bad.stderr).toMatch(/line 1: expected a record as Glacis writes it \[privacy\/ledger\]/);
  });
});
