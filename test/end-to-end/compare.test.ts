import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseComparison } from '../../src/assess/compare/comparison-json.ts';
import { mcnemar } from '../../src/core/statistics/mcnemar.ts';
import { openDataset } from '../../src/data/index.ts';
import { GraphBuilder } from '../../src/onnx/graph-builder.ts';
import type { Model } from '../../src/onnx/model.ts';
import { float32Tensor } from '../../src/onnx/tensor.ts';
import { writeModel } from '../../src/onnx/write.ts';
import { opsOn } from '../../src/transform/ops.ts';
import { glacis } from './cli.ts';
import {
  BIAS,
  CLASSES,
  FEATURES,
  linearModel,
  slowModel,
  WEIGHTS,
  withOpenBatch,
  writeLinearData,
  writeSlowData,
} from './small-models.ts';

const N = 200;
let home: string;
const at = (name: string) => join(home, name);

/** The linear model of the other tests with weights a little off, so that its boundaries lie nearer to the samples. */
function tiltedModel(): Model {
  const b = opsOn(new GraphBuilder());
  const x = b.builder.input('x', 'float32', [1, FEATURES]);
  const tilted = WEIGHTS.map((w, i) => w + (i % 2 === 0 ? 0.5 : -0.5));
  const z = b.matmul(x, b.builder.constant(float32Tensor([FEATURES, CLASSES], tilted), 'w'));
  const bias = b.builder.constant(float32Tensor([CLASSES], BIAS), 'bias');
  return withOpenBatch(b.builder.build({ logits: b.add(z, bias) }));
}

async function assess(model: string, data: string, out: string, ...more: string[]) {
  const attack = more.includes('--attacks') ? [] : ['--attacks', 'fgsm,pgd(steps=10)'];
  const args = ['--data', data, '--range', '0,1', '--eps', '0.05,0.1', ...attack, '--out', out, ...more];
  const { code, stderr } = await glacis(['assess', model, ...args], { cwd: home });
  expect(code, stderr).toBe(0);
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-compare-'));
  await writeModel(at('linear.onnx'), linearModel());
  await writeModel(at('tilted.onnx'), tiltedModel());
  await writeLinearData(at('data.npz'), N);
  await writeLinearData(at('more.npz'), 150);
  await Promise.all([
    assess('linear.onnx', 'data.npz', 'a'),
    assess('tilted.onnx', 'data.npz', 'b', '--seed', '3'),
    assess('tilted.onnx', 'more.npz', 'other'),
  ]);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const compare = (...args: string[]) => glacis(['compare', ...args], { cwd: home });
const [A, B, OTHER] = ['a/assessment.json', 'b/assessment.json', 'other/assessment.json'];

async function flags(file: string, key: string): Promise<Uint8Array> {
  const array = await openDataset(at(file), { x: key });
  const values = await array.read(0, N);
  await array.close();
  return values as Uint8Array;
}

describe('glacis compare', () => {
  it('counts what the per-sample files say, and shows it as text, JSON and HTML', async () => {
    const { code, stdout, stderr } = await compare(A, B, '--json', 'out/c.json', '--report', 'out/c.html');
    expect(code, stderr).toBe(0);
    const comparison = parseComparison(readFileSync(at('out/c.json'), 'utf8'));
    expect(comparison.rows.length).toBe(1 + 2 * 3);
    const row = comparison.rows.find(({ attacks, eps }) => attacks[0] === 'pgd' && eps === 0.05)!;
    const right = async (folder: string) => {
      const [clean, success] = await Promise.all(
        ['clean_correct', 'success'].map((key) => flags(`${folder}/pgd-linf-0.05.npz`, key)),
      );
      return clean!.map((one, i) => (one && !success![i] ? 1 : 0));
    };
    const [a, b] = await Promise.all([right('a'), right('b')]);
    const only = (first: Uint8Array, second: Uint8Array) =>
      first.filter((one, i) => one && !second[i]).length;
    const { pairs, p, verdict } = row.contrasts[0]!;
    expect([pairs!.onlyFirst, pairs!.onlySecond]).toEqual([only(a!, b!), only(b!, a!)]);
    expect(pairs!.onlyFirst).toBeGreaterThan(10);
    expect(p).toBe(mcnemar(pairs!.onlyFirst, pairs!.onlySecond).p);
    expect(verdict).toBe('lower');
    expect(stdout).toContain('B keeps fewer answers right than A');
    expect(stdout).toContain('Seed: 0 in A, 3 in B.');
    const page = readFileSync(at('out/c.html'), 'utf8');
    expect(page).toContain('B keeps fewer answers right than A');
    expect(page).toContain('tilted.onnx');
  });

  it('leaves with 1 only when a later model is shown to keep fewer', async () => {
    expect((await compare(A, B, '--fail-if-fewer')).code).toBe(1);
    expect((await compare(B, A, '--fail-if-fewer')).code).toBe(0);
  });

  it('finds no difference between a model and itself', async () => {
    const { code, stdout } = await compare(A, A, '--json', 'same.json');
    expect(code).toBe(0);
    for (const { contrasts } of parseComparison(readFileSync(at('same.json'), 'utf8')).rows)
      expect(contrasts[0]).toMatchObject({ p: 1, difference: 0, verdict: 'no difference shown' });
    expect(stdout).toContain('No difference is shown between A and B at any budget.');
  });

  it('refuses other data, unless they are said to be unrelated', async () => {
    const refused = await compare(A, OTHER);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/expected data sha256:.*--unpaired.*\[data\/mismatch\]/s);
    const unpaired = await compare(A, OTHER, '--unpaired');
    expect(unpaired.code, unpaired.stderr).toBe(0);
    expect(unpaired.stdout).toContain("Fisher's exact test");
    expect(unpaired.stdout).toContain('200, 150');
  });

  it('refuses what is no pair of assessments', async () => {
    for (const args of [[A], [A, 'a/report.html'], [A, 'a']]) {
      const { code, stdout, stderr } = await compare(...args);
      expect([code, stdout], stderr).toEqual([2, '']);
      expect(stderr).not.toMatch(/^\s+at .+:\d+/m);
    }
  });

  it('refuses per-sample files that are missing, of another run or elsewhere', async () => {
    await assess('linear.onnx', 'data.npz', 'c', '--attacks', 'fgsm');
    const file = at('c/assessment.json');
    const whole = readFileSync(file, 'utf8');
    renameSync(at('c/fgsm-linf-0.05.npz'), at('secret.npz'));
    const missing = await compare(A, 'c/assessment.json');
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(/fgsm-linf-0\.05\.npz.*is not there/);
    writeFileSync(file, whole.replaceAll('fgsm-linf-0.05.npz', '../secret.npz'));
    const outside = await compare(A, 'c/assessment.json');
    expect(outside.code).toBe(2);
    expect(outside.stderr).toMatch(/leads out of the folder.*\[result\/invalid\]/);
    expect((await compare(A, 'c/assessment.json', '--root', '.')).code).toBe(0);
    writeFileSync(file, whole.replaceAll('fgsm-linf-0.05.npz', '../b/fgsm-linf-0.05.npz'));
    const another = await compare(A, 'c/assessment.json', '--root', '.');
    expect(another.code).toBe(2);
    expect(another.stderr).toMatch(/was the file written by another run\?/);
  });

  it('compares an unfinished assessment on the samples that it has decided', async () => {
    await writeModel(at('slow.onnx'), slowModel());
    await writeSlowData(at('slow.npz'), 96);
    const slow = [
      'assess',
      'slow.onnx',
      '--data',
      'slow.npz',
      '--range',
      '0,1',
      '--eps',
      '0.01',
      '--batch',
      '16',
    ];
    const attacks = (steps: number) => ['--attacks', `fgsm,pgd(steps=${steps})`];
    await glacis([...slow, ...attacks(1), '--out', 'whole'], { cwd: home });
    let sent = false;
    const stopped = await glacis([...slow, ...attacks(2000), '--out', 'partial'], {
      cwd: home,
      watch: (stderr, kill) => {
        if (!sent && stderr.includes('gradients and')) {
          sent = true;
          setTimeout(() => kill('SIGINT'), 500);
        }
      },
    });
    expect(stopped.code, stopped.stderr).toBe(3);
    const { code, stdout, stderr } = await compare('whole/assessment.json', 'partial/assessment.json');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/B was not finished \(stopped by Ctrl-C\)/);
    expect(stdout).toContain('(not finished)');
  });
});
