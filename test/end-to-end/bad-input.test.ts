import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpz } from '../../src/data/index.ts';
import { GraphBuilder } from '../../src/onnx/graph-builder.ts';
import { serializeModel, writeModel } from '../../src/onnx/write.ts';
import { glacis } from './cli.ts';
import { linearModel, regionModel, withOpenBatch, writeLinearData } from './small-models.ts';

let home: string;
const at = (name: string) => join(home, name);

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-bad-'));
  await writeModel(at('linear.onnx'), linearModel());
  await writeLinearData(at('data.npz'), 30);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Runs `glacis assess`, and holds what every refusal has in common. */
async function refused(args: readonly string[], code = 2): Promise<string> {
  const result = await glacis(['assess', ...args], { cwd: home });
  expect(result.stderr).not.toMatch(/^\s+at .+:\d+/m);
  expect(result.stderr.split('\n').filter((line) => line.startsWith('glacis: '))).toHaveLength(1);
  expect(result.stdout).toBe('');
  expect(result.code, result.stderr).toBe(code);
  return result.stderr;
}

const data = ['--data', 'data.npz', '--eps', '0.1'];

describe('glacis assess says what is wrong with a model', () => {
  it('that is not there', async () => {
    expect(await refused(['missing.onnx', ...data])).toMatch(/missing\.onnx: .*no such file/);
  });

  it('that is not ONNX', async () => {
    writeFileSync(at('text.onnx'), 'This is a text and no model, whatever its name says.\n'.repeat(9));
    expect(await refused(['text.onnx', ...data])).toMatch(/expected an ONNX file/);
  });

  it('that is cut short', async () => {
    const bytes = serializeModel(linearModel());
    writeFileSync(at('cut.onnx'), bytes.subarray(0, Math.floor(bytes.length * 0.6)));
    expect(await refused(['cut.onnx', ...data])).toMatch(/model\/(unreadable|invalid)\]/);
  });

  it('with an operator that has no gradient', async () => {
    await writeModel(at('region.onnx'), regionModel());
    const x = Float32Array.from({ length: 4 * 72 }, (_, i) => (i % 10) / 10);
    await writeNpz(at('region.npz'), {
      x: { data: x, shape: [4, 2, 6, 6] },
      y: { data: Int32Array.of(0, 0, 1, 1), shape: [4] },
    });
    const said = await refused(['region.onnx', '--data', 'region.npz', '--range', '0,1', '--eps', '0.1']);
    expect(said).toMatch(/MaxRoiPool/);
    expect(said).toMatch(/gradient\/unsupported\]/);
  });

  it('with an operator that nobody knows', async () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [1, 4]);
    const [y] = builder.add(
      'Frobnicate',
      [x],
      {},
      { domain: 'com.example', types: [{ dtype: 'float32', dims: [1, 3] }] },
    );
    await writeModel(at('custom.onnx'), withOpenBatch(builder.build({ y: y! })));
    expect(await refused(['custom.onnx', ...data])).toMatch(/com\.example\.Frobnicate/);
  });

  it('whose external data are missing', async () => {
    await writeModel(at('external.onnx'), linearModel(), { externalData: 1 });
    rmSync(at('external.onnx.data'));
    expect(await refused(['external.onnx', ...data])).toMatch(
      /external\.onnx\.data.*model\/external-data\]/s,
    );
  });
});

describe('glacis assess says what is wrong with data', () => {
  it('that are not there', async () => {
    expect(await refused(['linear.onnx', '--data', 'none.npz'])).toMatch(/none\.npz/);
  });

  it('of another shape than the input', async () => {
    await writeLinearData(at('shape.npz'), 30, { shape: [40, 3], y: new Int32Array(40) });
    expect(await refused(['linear.onnx', '--data', 'shape.npz', '--eps', '0.1'])).toMatch(
      /4.*3.*data\/mismatch\]/s,
    );
  });

  it('with another number of labels than samples', async () => {
    await writeLinearData(at('count.npz'), 30, { y: new Int32Array(29) });
    expect(await refused(['linear.onnx', '--data', 'count.npz', '--eps', '0.1'])).toMatch(
      /expected 30 labels.*29/,
    );
  });

  it('without labels', async () => {
    await writeNpz(at('bare.npz'), { x: { data: new Float32Array(8).map((_, i) => i / 8), shape: [2, 4] } });
    expect(await refused(['linear.onnx', '--data', 'bare.npz', '--eps', '0.1'])).toMatch(/expected labels/);
  });

  it('with labels of another type', async () => {
    await writeLinearData(at('real.npz'), 30, { y: Float32Array.from({ length: 30 }, (_, i) => i / 7) });
    expect(await refused(['linear.onnx', '--data', 'real.npz', '--eps', '0.1'])).toMatch(/--tolerance/);
  });

  it('with a label that is no class of the model', async () => {
    await writeLinearData(at('range.npz'), 30, { y: Int32Array.from({ length: 30 }, (_, i) => 1 + (i % 3)) });
    expect(await refused(['linear.onnx', '--data', 'range.npz', '--eps', '0.1'])).toMatch(
      /expected class numbers 0 to 2, got 3 at sample 2/,
    );
  });

  it('with NaN in them', async () => {
    await writeLinearData(at('nan.npz'), 30, {
      x: (x) => {
        x[17 * 4 + 2] = Number.NaN;
      },
    });
    expect(await refused(['linear.onnx', '--data', 'nan.npz', '--eps', '0.1'])).toMatch(
      /NaN or infinity in sample 17 at position 2/,
    );
  });
});

describe('glacis assess says what is wrong with options', () => {
  it.each([
    [['--eps', '-0.1'], /--eps: expected a number or fraction of at least 0/],
    [
      ['--attacks', 'fgsm', '--norm', 'l0', '--eps', '1'],
      /--norm: expected one that fgsm knows \(linf, l2, l1\), got l0/,
    ],
    [['--atacks', 'fgsm'], /--atacks: there is no such option \(did you mean '--attacks'\?\)/],
    [['--attacks', 'pgd(stepps=3)'], /got 'stepps' \(did you mean 'steps'\?\)/],
    [['--device', 'abacus'], /--device: expected cpu, .*got 'abacus'/],
    [['--fix', 'other=data.npz'], /--fix: expected one of x, got 'other'/],
    [['--output', 'z'], /--output: expected one of logits, got 'z'/],
    [['--suite', 'theft'], /--suite: expected evasion, got 'theft'/],
    [['--level', 'hard'], /--level: expected quick, standard, exhaustive, got 'hard'/],
    [['--level', 'quick', '--attacks', 'pgd'], /--level: expected it without --attacks, got both/],
  ])('%j', async (extra, message) => {
    const eps = extra.includes('--eps') ? [] : ['--eps', '0.1'];
    expect(await refused(['linear.onnx', '--data', 'data.npz', ...eps, ...extra])).toMatch(message);
  });

  it('that are missing', async () => {
    expect(await refused(['linear.onnx'])).toMatch(/expected --data DATA/);
    expect(await refused(['linear.onnx', '--data', 'data.npz'])).toMatch(/--eps: expected a radius/);
  });

  it('when the command does not exist', async () => {
    const result = await glacis(['asess', 'linear.onnx']);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/asess: there is no such command \(did you mean 'assess'\?\)/);
  });

  it('with a stack trace only under --debug', async () => {
    const result = await glacis(['assess', 'missing.onnx', ...data, '--debug'], { cwd: home });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/^\s+at .+:\d+/m);
  });
});

describe('glacis assess finds an output that cannot be written before it begins', () => {
  it('because a file is in the place of the folder', async () => {
    writeFileSync(at('file'), '');
    expect(await refused(['missing.onnx', ...data, '--out', 'file'])).toMatch(/output\/unwritable\]/);
    expect(await refused(['missing.onnx', ...data, '--json', 'file/a.json'])).toMatch(/output\/unwritable\]/);
  });

  it('because the system does not let anyone make files there', async () => {
    expect(await refused(['missing.onnx', ...data, '--out', '/proc/glacis'])).toMatch(/output\/unwritable\]/);
  });

  it('because a folder is in the place of the file', async () => {
    mkdirSync(at('folder'));
    expect(await refused(['missing.onnx', ...data, '--report', 'folder'])).toMatch(/expected a file/);
    expect(() => readFileSync(at('glacis-out/assessment.json'))).toThrow();
  });
});
