import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpz } from '../../src/data/index.ts';
import { glacis } from './cli.ts';
import { logLines } from './log-lines.ts';
import { FEATURES, linearData } from './small-models.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/glacis.mjs', import.meta.url));
const N = 600;
const EPOCHS = 8;

let home: string;
const at = (name: string) => join(home, name);
const bytes = (name: string) => readFileSync(at(name));

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-train-'));
  const { x, y } = linearData(N);
  await writeNpz(at('data.npz'), { x: { data: x, shape: [N, FEATURES] }, y: { data: y, shape: [N] } });
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** The command line of one run, to its own files. */
const run = (name: string, ...more: readonly string[]) => [
  ...['train', '--data', 'data.npz', '--recipe', 'mlp(hidden=16)', '--epochs', String(EPOCHS)],
  ...['--batch', '8', '--threads', '1', '--average', '0.9', '--keep-best'],
  ...['--out', `${name}.onnx`, '--log', `${name}.jsonl`, ...more],
];

describe('a training run as a process', () => {
  it('ends in the same bytes and log when it was killed, met a full disk, and went on', async () => {
    const whole = await glacis(run('whole'), { cwd: home });
    expect(whole.stderr).toContain(`Epoch ${EPOCHS} of ${EPOCHS}: loss`);
    expect(whole.code).toBe(0);
    expect(existsSync(at('whole.checkpoint'))).toBe(false);

    const killed = await glacis(run('killed'), {
      cwd: home,
      watch: (stderr, kill) => stderr.includes('Epoch 3 of') && kill('SIGKILL'),
    });
    expect(killed.signal).toBe('SIGKILL');
    expect(existsSync(at('killed.onnx'))).toBe(false);
    const kept = bytes('killed.checkpoint');

    // No file may become longer than 1 KiB: writing a checkpoint fails as on a full disk.
    const line = ['node', LAUNCHER, ...run('killed', '--resume')].map((word) => `'${word}'`).join(' ');
    const full = spawnSync('bash', ['-c', `ulimit -f 1; ${line}`], {
      cwd: home,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${join(process.execPath, '..')}:${process.env.PATH}` },
    });
    expect(full.status).toBe(2);
    expect(full.stderr).toContain('[output/unwritable]');
    expect(bytes('killed.checkpoint').equals(kept)).toBe(true);

    const resumed = await glacis(run('killed', '--resume'), { cwd: home });
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toMatch(/Going on after step \d+\./);
    expect(bytes('killed.onnx').equals(bytes('whole.onnx'))).toBe(true);
    expect(logLines(at('killed.jsonl'))).toEqual(logLines(at('whole.jsonl')));
    expect(existsSync(at('killed.checkpoint'))).toBe(false);
  }, 120_000);

  it('keeps a checkpoint on Ctrl-C, says how to go on, and does not go on with other settings', async () => {
    const long = run('stopped').with(6, '400');
    const stopped = await glacis(long, {
      cwd: home,
      watch: (stderr, kill) =>
        stderr.includes('Epoch 2 of') && !stderr.includes('Stopping') && kill('SIGINT'),
    });
    expect(stopped.code).toBe(3);
    expect(stopped.stderr).toMatch(
      /Stopped; stopped\.checkpoint holds the run\. Go on with: glacis train .+ --resume/,
    );
    const other = await glacis(run('stopped', '--resume'), { cwd: home });
    expect(other.code).toBe(2);
    expect(other.stderr).toContain('epochs differ');
  }, 120_000);
});
