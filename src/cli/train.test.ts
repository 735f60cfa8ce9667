import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FEATURES, linearData, linearModel, withOpenBatch } from '../../test/end-to-end/small-models.ts';
import { writeNpz } from '../data/index.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { parseModel } from '../onnx/read.ts';
import { tensorFrom } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write.ts';
import type { TrainingRecord } from '../train/record.ts';
import { opsOn } from '../transform/ops.ts';
import { readArgs } from './args.ts';
import { openTerminal } from './terminal.ts';
import { command } from './train.ts';

const N = 600;
const EPOCHS = 8;

let home: string;
const at = (name: string) => join(home, name);

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-train-command-'));
  const { x, y } = linearData(N);
  const save = (name: string, labels: Int32Array | Float32Array) =>
    writeNpz(at(name), { x: { data: x, shape: [N, FEATURES] }, y: { data: labels, shape: [N] } });
  await save('data.npz', y);
  await save(
    'far.npz',
    y.map((label) => (label === 2 ? 7 : label)),
  );
  await save(
    'real.npz',
    Float32Array.from(y, (label, i) => label + x[i * FEATURES]!),
  );
  await writeNpz(at('marks.npz'), {
    x: { data: Int32Array.from({ length: 2 * N }, (_, i) => (y[i >> 1]! >> (i & 1)) & 1), shape: [N, 2] },
  });
  await writeModel(at('linear.onnx'), linearModel('Softmax'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Runs the command in this process; words that name a file here are taken as such. */
async function train(...words: readonly string[]) {
  const args = words.map((word) => (/^[\w.-]+\.(npz|onnx|html|json|jsonl)$/.test(word) ? at(word) : word));
  let [stdout, stderr] = ['', ''];
  const terminal = openTerminal({
    out: {
      write(text) {
        stdout += text;
      },
    },
    error: {
      write(text) {
        stderr += text;
      },
    },
    quiet: false,
    env: {},
    now: () => 0,
  });
  const given = readArgs([...args, '--threads', '1'], command.options);
  const { signal } = new AbortController();
  const code = await command.run({ given, args: ['train', ...args], terminal, signal });
  return { code, stdout, stderr };
}

describe('glacis train', () => {
  it('writes a record with data, settings, machine and figures, and a report', async () => {
    const { code, stdout } = await train(
      ...['--data', 'data.npz', '--recipe', 'mlp(hidden=16)', '--epochs', String(EPOCHS)],
      ...['--batch', '8', '--average', '0.9', '--out', 'signs.onnx'],
      '--report',
      'signs.html',
      '--json',
      'signs.json',
      '--against',
      'fast(eps=0.05)',
      '--validation-share',
      '0.2',
    );
    expect(code).toBe(0);
    expect(stdout).toContain(`Model   ${at('signs.onnx')}`);
    const record = JSON.parse(readFileSync(at('signs.training.json'), 'utf8')) as TrainingRecord;
    expect(record).toMatchObject({
      schema: 'glacis.training/1',
      model: { name: 'signs.onnx', parameters: FEATURES * 16 + 16 + 16 * 3 + 3, folded: false },
      start: { recipe: 'mlp(hidden=16, activation=relu, dropout=0)' },
      data: { source: at('data.npz'), n: 480 },
      validation: { share: 0.2, n: 120 },
      config: { objective: { name: 'fast', eps: 0.05 }, seed: 0, average: 0.9 },
      environment: { threads: 1, onnxruntime: expect.stringMatching(/^\d/) },
    });
    expect(record.epochs).toHaveLength(EPOCHS);
    expect(record.epochs.at(-1)!.validation).toMatchObject({
      robust: expect.any(Number),
      fgsm: expect.any(Number),
    });
    expect(record.model.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(JSON.parse(readFileSync(at('signs.json'), 'utf8'))).toEqual(record);
    const page = readFileSync(at('signs.html'), 'utf8');
    expect(page).toContain('How it learned');
    expect(page).not.toContain('<script');
  });

  it('trains on a given file, anew, and on real targets', async () => {
    const given = ['--data', 'data.npz', '--model', 'linear.onnx', '--epochs', '1'];
    const fine = await train(...given, '--out', 'fine.onnx');
    // The model knows these labels already.
    expect(fine.stderr).toMatch(/right 9\d\.\d %|right 100\.0 %/);
    const anew = await train(...given, '--reinitialise', '--out', 'anew.onnx');
    expect(anew.code).toBe(0);
    expect(readFileSync(at('anew.onnx')).equals(readFileSync(at('fine.onnx')))).toBe(false);
    const real = await train('--data', 'real.npz', '--epochs', '1', '--out', 'real.onnx');
    expect(real.code).toBe(0);
    expect(real.stdout).toMatch(/Epoch 1 of 1: loss [\d.]+; validation: loss/);
  });

  it('trains on several labels a sample, and says where there is no checkpoint to go on from', async () => {
    const labels = ['--labels', 'marks.npz', '--resume', '--epochs', '2', '--out', 'marks.onnx'];
    const { code, stderr } = await train('--data', 'data.npz', ...labels);
    expect(code).toBe(0);
    expect(stderr).toContain('There is no checkpoint to go on from');
    const record = JSON.parse(readFileSync(at('marks.training.json'), 'utf8')) as TrainingRecord;
    expect(record.config.loss).toEqual({ name: 'binary' });
    expect(parseModel(readFileSync(at('marks.onnx'))).graph.outputs[0]!.type).toMatchObject({
      dims: ['batch', 2],
    });
  });

  it('trains against what an attacker can send', async () => {
    const columns = [
      { column: 0, immutable: true },
      { column: 1, direction: 'up' },
    ];
    const write = (name: string, more: object) =>
      writeFileSync(
        at(name),
        JSON.stringify({
          schema: 'glacis.constraints/1',
          constraints: [{ type: 'tabular', columns: [...columns, more] }],
        }),
      );
    write('limits.json', { column: 2, maxChange: 0.1 });
    const given = [
      '--data',
      'data.npz',
      '--epochs',
      '2',
      '--constraint',
      'limits.json',
      '--out',
      'limited.onnx',
    ];
    const { code, stderr } = await train(...given, '--against', 'pgd(eps=0.3, steps=3)');
    expect(code).toBe(0);
    expect(stderr).toMatch(/under attack .+; validation: .+ under attack/);
    const { config } = JSON.parse(readFileSync(at('limited.training.json'), 'utf8')) as TrainingRecord;
    expect(config.constraint).toContain('immutable: 1');
    expect(config.objective).toMatchObject({
      name: 'pgd',
      constraintDigest: expect.stringMatching(/^sha256:/),
    });
    await expect(train(...given)).rejects.toThrow(/something to train against under it/);
    write('limits.json', { column: 2, min: 0.9 });
    await expect(train(...given, '--against', 'pgd(eps=0.3)')).rejects.toThrow(
      /clean samples that satisfy it/,
    );
  });

  it('shows its recipes', async () => {
    const { stdout } = await train('--recipes');
    expect(stdout).toContain('resnet: ');
    expect(stdout).toContain('  depth=20  layers');
  });

  it.each<[string, readonly string[], RegExp]>([
    ['no data', [], /expected --data DATA/],
    ['labels out of range', ['--data', 'far.npz', '--model', 'linear.onnx'], /labels from 0 to 2, got 7/],
    [
      'a quantised model',
      ['--data', 'data.npz', '--model', 'quantised.onnx'],
      /got a quantised model \(DequantizeLinear\).*--float-twin/,
    ],
    [
      'the model as its own output',
      ['--data', 'data.npz', '--model', 'linear.onnx', '--out', 'linear.onnx'],
      /another file than --model/,
    ],
    ['an unknown recipe', ['--data', 'data.npz', '--recipe', 'mpl'], /did you mean 'mlp'/],
    ['an unknown optimiser', ['--data', 'data.npz', '--optimiser', 'sdg'], /did you mean 'sgd'/],
    [
      'recipe and model',
      ['--data', 'data.npz', '--model', 'linear.onnx', '--recipe', 'mlp'],
      /without --model/,
    ],
    [
      'patience without validation',
      ['--data', 'data.npz', '--patience', '2', '--validation-share', '0'],
      /to tell the best epoch by/,
    ],
    ['attacks without eps on a table', ['--data', 'data.npz', '--against', 'pgd'], /expected eps/],
  ])('refuses %s', async (_, args, message) => {
    const b = opsOn(new GraphBuilder());
    const scale = b.scalar(0.1, 'float32');
    const weight = b.builder.constant(
      tensorFrom('int8', [FEATURES, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3]),
      'w',
    );
    const zero = b.builder.constant(tensorFrom('int8', [], [0]), 'zero');
    const x = b.builder.input('x', 'float32', [1, FEATURES]);
    const real = b.node('DequantizeLinear', [b.builder.input('held', 'int8', [FEATURES, 3]), scale, zero]);
    const model = withOpenBatch(b.builder.build({ logits: b.matmul(x, real) }));
    const { graph } = model;
    await writeModel(at('quantised.onnx'), {
      ...model,
      graph: {
        ...graph,
        inputs: graph.inputs.filter(({ name }) => name !== 'held'),
        initializers: new Map([...graph.initializers, ['held', weight.data!]]),
      },
    });
    await expect(train(...args)).rejects.toThrow(message);
  });
});
