import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { glacis } from './cli.ts';
import { logLines } from './log-lines.ts';
import { writeLinearData } from './small-models.ts';

const N = 400;
const EPOCHS = 8;

let home: string;
const at = (name: string) => join(home, name);
const bytes = (name: string) => readFileSync(at(name));

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-private-train-'));
  await writeLinearData(at('data.npz'), N);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Runs a private training to its own files, all with one ledger. */
const train = (name: string, more: readonly string[] = [], killAt?: string) =>
  glacis(
    [
      ...['train', '--data', 'data.npz', '--recipe', 'mlp(hidden=16)', '--range', '0,1'],
      ...['--noise-multiplier', '1', '--delta', '1e-3', '--epochs', String(EPOCHS), '--logical-batch', '10'],
      ...['--clip', 'adaptive', '--threads', '1', '--ledger', 'ledger.jsonl'],
      ...['--out', `${name}.onnx`, '--log', `${name}.jsonl`, ...more],
    ],
    {
      cwd: home,
      ...(killAt ? { watch: (stderr, kill) => stderr.includes(killAt) && kill('SIGKILL') } : {}),
    },
  );

describe('a private training as a process', () => {
  it('ends in the same bytes however often it was killed, and its key is gone then', async () => {
    const killed = await train('once', [], 'Epoch 3 of');
    expect(killed.signal).toBe('SIGKILL');
    expect(existsSync(at('once.onnx'))).toBe(false);
    if (process.platform !== 'win32')
      for (const file of ['once.checkpoint', 'once.jsonl', 'ledger.jsonl'])
        expect(statSync(at(file)).mode & 0o777, file).toBe(0o600);
    // The key is secret: what a run that goes on comes to can only be held against another that goes on from the same place.
    for (const end of ['checkpoint', 'jsonl']) copyFileSync(at(`once.${end}`), at(`twice.${end}`));
    copyFileSync(at('ledger.jsonl'), at('reserved.jsonl'));

    const whole = await train('once', ['--resume']);
    expect(whole.code, whole.stderr).toBe(0);
    expect(whole.stderr).toMatch(/Going on after step \d+\./);
    expect(whole.stdout).toMatch(/by the PLD accountant.*Poisson sampling.*adding or removing one sample/);
    expect(whole.stdout).toContain('by the RDP accountant');
    expect(existsSync(at('once.checkpoint'))).toBe(false);

    copyFileSync(at('reserved.jsonl'), at('ledger.jsonl'));
    const again = await train('twice', ['--resume'], 'Epoch 5 of');
    expect(again.signal).toBe('SIGKILL');
    const last = await train('twice', ['--resume']);
    expect(last.code, last.stderr).toBe(0);
    expect(bytes('twice.onnx').equals(bytes('once.onnx'))).toBe(true);
    expect(logLines(at('twice.jsonl'))).toEqual(logLines(at('once.jsonl')));

    const [, digest] = /\(data set (sha256:\w+)\)/.exec(last.stdout)!;
    const budget = await glacis(
      ['privacy', 'budget', '--data-set', digest!, '--ledger', 'ledger.jsonl', '--delta', '1e-3'],
      { cwd: home },
    );
    expect(budget.stdout).toMatch(/Ledger {2}rate 0\.025, noise 1, 320 steps \(\d{4}-\d\d-\d\d\)/);
  }, 120_000);

  it('gives another model each time, adds up what is spent, and stops at the limit', async () => {
    const first = await train('first');
    expect(first.stdout).toMatch(/all 2 private runs on these data together: epsilon/);
    expect(bytes('first.onnx').equals(bytes('once.onnx'))).toBe(false);
    const left = await train('second', [], 'Epoch 2 of');
    expect(left.signal).toBe('SIGKILL');
    const refused = await train('second', ['--ledger-limit', '3']);
    expect(refused.stderr).toContain('second.checkpoint held an interrupted run');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('[privacy/budget]');
    expect(existsSync(at('second.onnx'))).toBe(false);
  }, 60_000);
});
