import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silent } from '../core/progress.ts';
import { readArgs } from './args.ts';
import { command } from './privacy.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'glacis-privacy-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Runs the command in this process. */
async function budget(...args: string[]) {
  const [printed, said]: [string[], string[]] = [[], []];
  const code = await command.run({
    given: readArgs(['budget', ...args], command.options),
    args,
    terminal: {
      width: 96,
      print: (text) => printed.push(text),
      say: (line) => said.push(line),
      progress: silent,
      clear() {},
      bold: (text) => text,
    },
    signal: new AbortController().signal,
  });
  return { code, stdout: printed.join(''), stderr: said.join('\n') };
}

describe('glacis privacy budget', () => {
  it('states epsilon by both accountants with all that it rests on, and warns of a large delta', async () => {
    const run = ['--batch', '24', '--samples', '600', '--noise', '1.5', '--steps', '225'];
    const path = join(home, 'budget.json');
    const { code, stdout, stderr } = await budget(...run, '--delta', '1e-2', '--json', path);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Run {5}rate 0\.04, noise 1\.5, 225 steps\n/);
    expect(stdout).toMatch(
      /PLD {5}epsilon \d\.\d{4} at delta 0\.01, .*not below .*Poisson sampling.*adding or removing one sample\n/,
    );
    expect(stdout).toMatch(/RDP {5}epsilon .*\(order /);
    expect(stderr).toMatch(/Warning: delta 0\.01 is larger than 1\/n/);
    const json = JSON.parse(readFileSync(path, 'utf8')) as {
      readonly schema: string;
      readonly statements: readonly { readonly epsilon: number }[];
    };
    expect(json.schema).toBe('glacis.privacy-budget/1');
    expect(json.statements[0]!.epsilon).toBeLessThan(json.statements[1]!.epsilon);
  });

  it.each([
    ['no delta', ['--noise', '1'], /--delta: expected/],
    ['a delta of 1', ['--delta', '1'], /--delta: expected a probability above 0 and below 1/],
    [
      'a rate above 1',
      ['--delta', '1e-5', '--rate', '1.5', '--noise', '1', '--steps', '1'],
      /rate above 0 and at most 1/,
    ],
    [
      'a batch above the samples',
      ['--delta', '1e-5', '--batch', '9', '--samples', '8'],
      /at most the 8 samples/,
    ],
    ['an epsilon of 0', ['--delta', '1e-5', '--target-epsilon', '0'], /above 0, got 0/],
    ['nothing to count', ['--delta', '1e-5'], /expected a run/],
    ['half a run', ['--delta', '1e-5', '--noise', '1'], /expected --rate .* and --steps/],
    ['a ledger for no data set', ['--delta', '1e-5', '--ledger', 'x'], /--data-set beside it/],
    ['a digest that is none', ['--delta', '1e-5', '--data-set', 'mnist'], /expected its digest/],
  ])('refuses %s', async (_, args, message) => {
    await expect(budget(...args)).rejects.toThrow(message);
  });

  it('has no other word than budget', async () => {
    await expect(budget('more', '--delta', '1e-5')).rejects.toThrow("expected 'budget', got 'budget more'");
  });

  it('says that nothing was spent on a data set that the ledger does not know', async () => {
    const none = ['--data-set', `sha256:${'0'.repeat(64)}`, '--ledger', join(home, 'none.jsonl')];
    const { code, stdout } = await budget('--delta', '1e-5', ...none);
    expect([code, stdout]).toEqual([0, 'The ledger has no run on this data set.\n']);
  });
});
