import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FEATURES, linearData, linearModel } from '../../test/end-to-end/small-models.ts';
import { writeNpz } from '../data/index.ts';
import { parseModel } from '../onnx/read.ts';
import { numbersOf } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write.ts';
import { buildRecipe, planRecipe, type TrainingRecord } from '../train/index.ts';
import { readArgs } from './args.ts';
import { openTerminal } from './terminal.ts';
import { command } from './train.ts';

const N = 300;
let home: string;
const at = (name: string) => join(home, name);

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-private-command-'));
  for (const [name, n] of [
    ['data.npz', N],
    ['known.npz', 90],
  ] as const) {
    const { x, y } = linearData(n);
    await writeNpz(at(name), { x: { data: x, shape: [n, FEATURES] }, y: { data: y, shape: [n] } });
  }
  await writeNpz(at('pictures.npz'), {
    x: {
      data: Float32Array.from({ length: 80 * 64 }, (_, i) => ((i * 37) % 101) / 101),
      shape: [80, 1, 8, 8],
    },
    y: { data: Int32Array.from({ length: 80 }, (_, i) => i % 2), shape: [80] },
  });
  await writeModel(at('linear.onnx'), linearModel());
  const resnet = planRecipe('resnet(depth=8, width=4, norm=batch)');
  await writeModel(at('resnet.onnx'), buildRecipe(resnet, { input: [1, 8, 8], outputs: 2, seed: 1 }));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Runs the command in this process; words that name a file here are taken as such. */
async function train(...words: readonly string[]) {
  const args = words.map((word) => (/^[\w.-]+\.(npz|onnx|html|json|jsonl)$/.test(word) ? at(word) : word));
  let [stdout, stderr] = ['', ''];
  const sink = (add: (text: string) => void) => ({ write: add });
  const terminal = openTerminal({
    out: sink((text) => {
      stdout += text;
    }),
    error: sink((text) => {
      stderr += text;
    }),
    quiet: false,
    env: {},
    now: () => 0,
  });
  const given = readArgs([...args, '--threads', '1', '--ledger', at('ledger.jsonl')], command.options);
  const code = await command.run({
    given,
    args: ['train', ...args],
    terminal,
    signal: new AbortController().signal,
  });
  return { code, stdout, stderr };
}

const BASE = ['--data', 'data.npz', '--recipe', 'mlp(hidden=8)', '--range', '0,1'];

describe('glacis train --epsilon', () => {
  it('keeps epsilon, records what is promised, and keeps the owner’s figures out of what may be published', async () => {
    const { code, stdout, stderr } = await train(
      ...[...BASE, '--epsilon', '3', '--delta', '1e-3', '--epochs', '4', '--logical-batch', '30'],
      ...['--validation', 'known.npz', '--out', 'a.onnx', '--json', 'a.json', '--report', 'a.html'],
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(/Epoch 4 of 4: loss .* right .* unclipped .*; validation: loss/);
    const record = JSON.parse(readFileSync(at('a.training.json'), 'utf8')) as TrainingRecord;
    const [pld, rdp] = record.privacy!.statements;
    expect([pld!.accountant, rdp!.accountant]).toEqual(['pld', 'rdp']);
    expect(pld!.epsilon).toBeLessThanOrEqual(3);
    expect(pld!.epsilon).toBeGreaterThan(2.99);
    expect(record.privacy).toMatchObject({
      covers: 'weights',
      start: 'drawn',
      steps: 40,
      allRuns: { runs: 1 },
    });
    expect(record.data).toMatchObject({ digest: null, n: N });
    expect(record.epochs.map((epoch) => Object.keys(epoch))).toEqual(Array(4).fill(['validation']));
    const owners = JSON.parse(readFileSync(at('a.json'), 'utf8')) as TrainingRecord;
    expect(owners.epochs[3]).toMatchObject({ loss: expect.any(Number), unclipped: expect.any(Number) });
    expect(owners.data.digest).toMatch(/^sha256:/);
    if (process.platform !== 'win32')
      for (const name of ['a.json', 'a.html']) expect(statSync(at(name)).mode & 0o777, name).toBe(0o600);
    expect(readFileSync(at('a.html'), 'utf8')).toContain('For the owner of the data only');
    expect(stdout).toContain(`Ledger   ${at('ledger.jsonl')} (data set ${owners.data.digest})`);
  });

  it('does not put the mean of the private samples into the network', async () => {
    const noise = ['--noise-multiplier', '1', '--epochs', '1', '--out', 'table.onnx'];
    const { stderr } = await train('--data', 'data.npz', '--recipe', 'mlp(hidden=8)', ...noise);
    expect(stderr).toContain('inputs are not centred');
    const { graph } = parseModel(readFileSync(at('table.onnx')));
    expect(graph.nodes.some(({ op }) => op === 'Sub')).toBe(false);
    await train(...BASE, ...noise);
    const centred = parseModel(readFileSync(at('table.onnx'))).graph;
    const sub = centred.nodes.find(({ op }) => op === 'Sub')!;
    // The middle of the range over a quarter of its width.
    expect([...numbersOf(centred.initializers.get(sub.inputs[1]!)!)]).toEqual([2]);
  });

  it('takes a file’s weights on the user’s word only', async () => {
    const given = [
      '--data',
      'data.npz',
      '--model',
      'linear.onnx',
      '--noise-multiplier',
      '1',
      '--epochs',
      '1',
    ];
    await expect(train(...given, '--out', 'b.onnx')).rejects.toThrow(
      /--reinitialise, which draws its weights anew, or --public-weights/,
    );
    const fine = await train(...given, '--public-weights', '--out', 'b.onnx');
    expect(fine.code).toBe(0);
    const read = (name: string) => JSON.parse(readFileSync(at(name), 'utf8')) as TrainingRecord;
    expect(read('b.training.json').privacy!.start).toBe('said to be public');
    await train(...given, '--reinitialise', '--out', 'c.onnx');
    expect(read('c.training.json').privacy!.start).toBe('drawn');
  });

  it('rewrites BatchNormalization where it is told to', async () => {
    const given = ['--data', 'pictures.npz', '--model', 'resnet.onnx', '--reinitialise', '--out', 'd.onnx'];
    const noise = ['--noise-multiplier', '1', '--epochs', '1', '--delta', '1e-3'];
    await expect(train(...given, ...noise)).rejects.toThrow(/--normalisation rewrite/);
    const { code } = await train(...given, ...noise, '--normalisation', 'rewrite');
    expect(code).toBe(0);
    const { privacy } = JSON.parse(readFileSync(at('d.training.json'), 'utf8')) as TrainingRecord;
    expect(privacy!.rewritten.length).toBeGreaterThan(6);
  });

  it.each<[string, readonly string[], RegExp]>([
    ['a seed', ['--seed', '1'], /--seed: .* whoever knows the seed/],
    ['a batch', ['--batch', '8'], /--logical-batch/],
    ['samples held back', ['--validation-share', '0.1'], /--validation/],
    ['private samples to measure on', ['--validation', 'data.npz'], /got the private ones/],
    ['the best epoch', ['--keep-best'], /spends privacy/],
    ['both epsilon and noise', ['--noise-multiplier', '1'], /either epsilon or noise, got both/],
    ['an epsilon of 0', ['--epsilon', '0'], /epsilon.* above 0/],
    ['a delta of 1', ['--delta', '1'], /above 0 and below 1/],
    ['a rate above 1', ['--logical-batch', '301'], /at most all 300 samples/],
    ['a clipping norm of 0', ['--clip', '0'], /norm above 0/],
    ['an unknown clipping', ['--clip', 'adaptiv'], /did you mean 'adaptive'/],
    ['going on from nothing, which would spend anew', ['--resume'], /found none; a run that begins spends/],
    ['balanced classes', ['--class-weights', 'balanced'], /private/],
    ['objectives over several samples', ['--against', 'free(eps=0.1)'], /on its own, got free/],
    ['public weights of a recipe', ['--public-weights'], /all drawn anew/],
  ])('refuses %s', async (_, more, message) => {
    const epsilon = more.includes('--epsilon') ? [] : ['--epsilon', '2'];
    await expect(train(...BASE, ...epsilon, ...more, '--out', 'no.onnx')).rejects.toThrow(message);
  });

  it('refuses its options without epsilon or noise, and attacks without a known range', async () => {
    await expect(train(...BASE, '--delta', '1e-5')).rejects.toThrow(/--delta: expected --epsilon/);
    const table = ['--data', 'data.npz', '--epsilon', '2', '--against', 'pgd(eps=0.1)', '--out', 'no.onnx'];
    await expect(train(...table)).rejects.toThrow(/--range LOW,HIGH/);
  });

  it('warns of a delta above 1/n', async () => {
    const { stdout, stderr } = await train(
      ...[...BASE, '--noise-multiplier', '1', '--delta', '0.01', '--epochs', '1', '--out', 'e.onnx'],
    );
    expect(stderr).toMatch(/Warning: delta 0\.01 is larger than 1\/n/);
    expect(stdout).toContain('Warning: delta 0.01');
  });
});
