import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeNpz } from '../../src/data/index.ts';
import { writeModel } from '../../src/onnx/write.ts';
import { glacis } from './cli.ts';
import { FEATURES, linearData, linearModel } from './small-models.ts';

let home: string;
const at = (name: string) => join(home, name);

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-harden-'));
  await writeModel(at('model.onnx'), linearModel());
  const { x, y } = linearData(900);
  const save = (name: string, from: number, to: number) =>
    writeNpz(at(name), {
      x: { data: x.subarray(from * FEATURES, to * FEATURES), shape: [to - from, FEATURES] },
      y: { data: y.subarray(from, to), shape: [to - from] },
    });
  await save('train.npz', 0, 700);
  await save('test.npz', 700, 900);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const harden = (out: string, more: readonly string[], killAt?: string) =>
  glacis(
    [
      ...[
        'harden',
        'model.onnx',
        '--data',
        'train.npz',
        '--test',
        'test.npz',
        '--range',
        '0,1',
        '--threads',
        '1',
      ],
      ...['--tested', '150', '--out', out, ...more],
    ],
    {
      cwd: home,
      ...(killAt ? { watch: (stderr, kill) => stderr.includes(killAt) && kill('SIGKILL') } : {}),
    },
  );

it('glacis harden --goal private goes on after it was killed, spends once, and says what it came to', async () => {
  const goal = ['--goal', 'private', '--noise-multiplier', '0.8', '--delta', '1e-4', '--epochs', '12'];
  const more = [...goal, '--logical-batch', '50', '--learning-rate', '0.5', '--ledger', 'ledger.jsonl'];
  const killed = await harden('out', more, 'Epoch 4:');
  expect(killed.signal, killed.stderr).toBe('SIGKILL');
  expect(existsSync(at('out/hardened.checkpoint'))).toBe(true);
  const { code, stdout, stderr } = await harden('out', [...more, '--resume']);
  expect(code, stderr).toBe(0);
  expect(stderr).not.toContain('Measuring the model as it is');
  expect(stdout).toMatch(
    /Each training sample is protected now: epsilon [\d.]+ at delta 1e-4, by the PLD accountant/,
  );
  expect(stdout).toContain('The simplest membership inference');
  expect(stdout).toContain('The weights were drawn anew');
  expect(existsSync(at('out/hardened.checkpoint'))).toBe(false);
  expect(readFileSync(at('out/training.html'), 'utf8')).toContain(
    'What is promised about each training sample',
  );
  expect(readFileSync(at('ledger.jsonl'), 'utf8').match(/"reserved"/g)).toHaveLength(1);
}, 120_000);

it.each<[string, readonly string[], RegExp]>([
  [
    'attacks for the goal private',
    ['--goal', 'private', '--against', 'pgd(eps=0.1)'],
    /--goal both trains against/,
  ],
  [
    'epsilon for the goal robust',
    ['--epsilon', '3', '--eps', '0.1'],
    /--epsilon: expected --goal private or both/,
  ],
  ['a seed for a private goal', ['--goal', 'private', '--seed', '1'], /whoever knows the seed/],
  ['no radius where none is usual', ['--goal', 'both'], /--eps: expected eps/],
])('refuses %s', async (_, more, message) => {
  const { code, stderr } = await harden('refused', more);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});
