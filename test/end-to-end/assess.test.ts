import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Assessment } from '../../src/assess/result.ts';
import { parseAssessment } from '../../src/assess/result-json.ts';
import { openDataset, writeNpy } from '../../src/data/index.ts';
import { GraphBuilder } from '../../src/onnx/graph-builder.ts';
import { writeModel } from '../../src/onnx/write.ts';
import { opsOn } from '../../src/transform/ops.ts';
import { glacis } from './cli.ts';
import {
  CLASSES,
  FEATURES,
  linearData,
  linearLogits,
  linearModel,
  oneOutputModel,
  slowModel,
  WEIGHTS,
  withOpenBatch,
  writeLinearData,
  writeSlowData,
} from './small-models.ts';

const N = 200;
let home: string;
const at = (name: string) => join(home, name);
const resultAt = (path: string): Assessment => parseAssessment(readFileSync(at(path), 'utf8'));

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-assess-'));
  await writeModel(at('linear.onnx'), linearModel());
  await writeModel(at('softmax.onnx'), linearModel('Softmax'));
  await writeLinearData(at('data.npz'), N);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Runs a command that must come out well. */
async function well(...args: string[]) {
  const result = await glacis(args, { cwd: home });
  expect(result.code, result.stderr).toBe(0);
  return result;
}

/**
 * Samples that the linear model still gets right when every feature may move by `eps` within `range`: for a linear
 * margin the best change is known feature by feature.
 */
function robustByHand(eps: number, range: readonly [number, number]): number {
  const { x, y } = linearData(N);
  let robust = 0;
  for (let s = 0; s < N; s++) {
    const z = linearLogits(x, s * FEATURES);
    const label = y[s]!;
    let least = Number.POSITIVE_INFINITY;
    for (let c = 0; c < CLASSES; c++) {
      if (c === label) continue;
      let margin = z[label]! - z[c]!;
      for (let i = 0; i < FEATURES; i++) {
        const slope = WEIGHTS[i * CLASSES + label]! - WEIGHTS[i * CLASSES + c]!;
        const v = x[s * FEATURES + i]!;
        const to = slope > 0 ? Math.max(range[0], v - eps) : Math.min(range[1], v + eps);
        margin += slope * (to - v);
      }
      least = Math.min(least, margin);
    }
    if (least >= 0) robust++;
  }
  return robust / N;
}

describe('glacis assess', () => {
  it('finds what there is to find on a linear model, and writes it in the promised form', async () => {
    const args = [
      '--data',
      'data.npz',
      '--range',
      '0,1',
      '--eps',
      '0.05,0.2',
      '--attacks',
      'fgsm,pgd(steps=20)',
    ];
    const { stdout } = await well(
      'assess',
      'linear.onnx',
      ...args,
      '--out',
      'lin',
      '--json',
      'lin/sub/r.json',
    );
    const assessment = resultAt('lin/sub/r.json');
    expect(assessment.schema).toBe('glacis.assessment/1');
    expect(assessment.status).toBe('complete');
    expect(assessment.model.name).toBe('linear.onnx');
    expect(assessment.data.n).toBe(N);
    expect(assessment.results.map((r) => [r.attack, r.eps])).toEqual([
      ['fgsm', 0.05],
      ['pgd', 0.05],
      ['fgsm', 0.2],
      ['pgd', 0.2],
    ]);
    for (const worst of assessment.worstCases) {
      // Cross-entropy pulls towards all wrong classes at once, so it misses some of what the nearest class alone would give.
      const least = robustByHand(worst.eps, [0, 1]);
      expect(worst.robustAccuracy).toBeGreaterThanOrEqual(least - 0.01);
      expect(worst.robustAccuracy).toBeLessThanOrEqual(least + 0.1);
    }
    for (const result of assessment.results) {
      expect(result.cleanAccuracy).toBe(1);
      const [low, high] = result.confidence;
      expect(low).toBeLessThanOrEqual(result.robustAccuracy);
      expect(high).toBeGreaterThanOrEqual(result.robustAccuracy);
      expect(result.queries).toBeGreaterThan(N);
    }
    expect(assessment.findings.map((f) => f.id)).toContain('evasion/low-robust-accuracy');
    expect(assessment.command).toContain("'fgsm,pgd(steps=20)'");
    expect(stdout).toContain('worst case');
    expect(readFileSync(at('lin/report.html'), 'utf8')).toMatch(/^<!doctype html>/i);
    const outcomes = await openDataset(join(at('lin/sub'), assessment.results[3]!.perSample), {
      x: 'success',
    });
    const success = await outcomes.read(0, N);
    await outcomes.close();
    const fell = Array.from(success as Uint8Array).reduce((a, b) => a + b, 0);
    expect(1 - fell / N).toBeCloseTo(assessment.results[3]!.robustAccuracy, 9);
    expect(readdirSync(at('lin')).filter((name) => name.startsWith('checkpoint'))).toEqual([]);
  });

  it('takes the attacks of a level', async () => {
    const args = [
      'assess',
      'linear.onnx',
      '--data',
      'data.npz',
      '--range',
      '0,1',
      '--eps',
      '0.1',
      '--n',
      '8',
    ];
    await well(...args, '--suite', 'evasion', '--level', 'standard', '--out', 'level');
    const { results, worstCases } = resultAt('level/assessment.json');
    const attacks = ['fgsm', 'pgd', 'fmn', 'autoattack', 'deepfool'];
    expect(results.map(({ attack }) => attack).toSorted()).toEqual(attacks.toSorted());
    expect(worstCases[0]!.attacks.toSorted()).toEqual(attacks.toSorted());
  });

  it('leaves out a softmax for the attack and says so', async () => {
    await well(
      'assess',
      'softmax.onnx',
      '--data',
      'data.npz',
      '--range',
      '0,1',
      '--eps',
      '0.2',
      '--out',
      'soft',
    );
    await well(
      'assess',
      'linear.onnx',
      '--data',
      'data.npz',
      '--range',
      '0,1',
      '--eps',
      '0.2',
      '--out',
      'plain',
    );
    const [soft, plain] = [resultAt('soft/assessment.json'), resultAt('plain/assessment.json')];
    expect(soft.model.notes.join(' ')).toContain('final Softmax was left out');
    expect(soft.worstCases[0]!.robustAccuracy).toBe(plain.worstCases[0]!.robustAccuracy);
  });

  it('leaves with 1 when a finding is as grave as --fail-on', async () => {
    const args = [
      'assess',
      'linear.onnx',
      '--data',
      'data.npz',
      '--range',
      '0,1',
      '--eps',
      '0.4',
      '--attacks',
      'fgsm',
    ];
    const grave = await glacis([...args, '--fail-on', 'low', '--out', 'grave'], { cwd: home });
    expect(grave.code).toBe(1);
    const none = await glacis(
      [...args, '--eps=0', '--fail-on', 'low', '--out', 'none'].filter((a) => a !== '--eps' && a !== '0.4'),
      { cwd: home },
    );
    expect(none.code, none.stderr).toBe(0);
  });

  it('reads one output as a binary classifier, with or without a sigmoid', async () => {
    const { x } = linearData(N);
    const w = [1, -1, 0.5, -0.5];
    const y = Int32Array.from({ length: N }, (_, s) =>
      w.reduce((sum, wi, i) => sum + wi * x[s * FEATURES + i]!, 0) > 0 ? 1 : 0,
    );
    await writeLinearData(at('binary.npz'), N, { y });
    for (const end of ['Sigmoid', undefined] as const) {
      const name = end ?? 'none';
      await writeModel(at(`${name}.onnx`), oneOutputModel(end));
      await well(
        'assess',
        `${name}.onnx`,
        '--data',
        'binary.npz',
        '--range',
        '0,1',
        '--eps',
        '0.1',
        '--out',
        name,
      );
    }
    const [sigmoid, none] = [resultAt('Sigmoid/assessment.json'), resultAt('none/assessment.json')];
    expect(sigmoid.results[0]!.cleanAccuracy).toBe(1);
    expect(none.worstCases[0]!.robustAccuracy).toBe(sigmoid.worstCases[0]!.robustAccuracy);
    expect(none.worstCases[0]!.robustAccuracy).toBeLessThan(1);
  });

  it('holds a regression to its tolerance', async () => {
    const { x } = linearData(N);
    const w = [1, -1, 0.5, -0.5];
    const y = Float32Array.from({ length: N }, (_, s) =>
      w.reduce((sum, wi, i) => sum + wi * x[s * FEATURES + i]!, 0),
    );
    await writeLinearData(at('real.npz'), N, { y });
    await writeModel(at('regression.onnx'), oneOutputModel());
    // Σ|w| = 3: eps 0.1 moves the answer by up to 0.3 (no range keeps it from that).
    const args = ['assess', 'regression.onnx', '--data', 'real.npz', '--eps', '0.1', '--attacks', 'pgd'];
    await well(...args, '--tolerance', '0.25', '--out', 'near');
    await well(...args, '--tolerance', '0.35', '--out', 'far');
    expect(resultAt('near/assessment.json').worstCases[0]!.robustAccuracy).toBe(0);
    expect(resultAt('far/assessment.json').worstCases[0]!.robustAccuracy).toBe(1);
  });

  it('attacks several labels at once', async () => {
    const { x } = linearData(N);
    const y = Int32Array.from({ length: N * CLASSES }, (_, i) => {
      const z = linearLogits(x, Math.floor(i / CLASSES) * FEATURES);
      return z[i % CLASSES]! > 0 ? 1 : 0;
    });
    await writeModel(at('multi.onnx'), linearModel('Sigmoid'));
    await writeNpy(at('x.npy'), { data: x, shape: [N, FEATURES] });
    await writeNpy(at('labels.npy'), { data: y, shape: [N, CLASSES] });
    await well(
      'assess',
      'multi.onnx',
      '--data',
      'x.npy',
      '--labels',
      'labels.npy',
      '--range',
      '0,1',
      '--eps',
      '0.1',
      '--out',
      'multi',
    );
    const [worst] = resultAt('multi/assessment.json').worstCases;
    expect(worst!.cleanAccuracy).toBe(1);
    expect(worst!.robustAccuracy).toBeLessThan(1);
    expect(worst!.robustAccuracy).toBeGreaterThan(0);
  });

  it('holds the inputs fixed that are not attacked', async () => {
    const b = opsOn(new GraphBuilder());
    const x = b.builder.input('x', 'float32', [1, FEATURES]);
    const scale = b.builder.input('scale', 'float32', [1, FEATURES]);
    const w = b.builder.constant({
      dtype: 'float32',
      dims: [FEATURES, CLASSES],
      data: new Uint8Array(WEIGHTS.buffer),
    });
    await writeModel(at('two.onnx'), withOpenBatch(b.builder.build({ y: b.matmul(b.mul(x, scale), w) })));
    await writeNpy(at('ones.npy'), { data: Float32Array.of(1, 1, 1, 1), shape: [1, FEATURES] });
    await writeNpy(at('zeros.npy'), { data: Float32Array.of(0, 0, 0, -1e-6), shape: [1, FEATURES] });
    const args = [
      'assess',
      'two.onnx',
      '--data',
      'data.npz',
      '--range',
      '0,1',
      '--eps',
      '0.1',
      '--input',
      'x',
    ];
    const without = await glacis(args, { cwd: home });
    expect(without.code).toBe(2);
    expect(without.stderr).toMatch(/not attacked \(scale\)/);
    await well(...args, '--fix', 'scale=ones.npy', '--out', 'ones');
    await well(...args, '--fix', 'scale=zeros.npy', '--out', 'zeros');
    expect(resultAt('ones/assessment.json').results[0]!.cleanAccuracy).toBeGreaterThan(0.9);
    expect(resultAt('zeros/assessment.json').results[0]!.cleanAccuracy).toBeLessThan(0.6);
  });

  it('normalises in front of the model, so that eps is in units of the data', async () => {
    // x̂ = (x − 0.5) / 0.25 is undone by a model that multiplies by 0.25 and adds 0.5.
    const b = opsOn(new GraphBuilder());
    const x = b.builder.input('x', 'float32', [1, FEATURES]);
    const w = b.builder.constant({
      dtype: 'float32',
      dims: [FEATURES, CLASSES],
      data: new Uint8Array(WEIGHTS.buffer),
    });
    const bias = b.builder.constant({
      dtype: 'float32',
      dims: [CLASSES],
      data: new Uint8Array(Float32Array.of(0.1, 0, -0.1).buffer),
    });
    const raw = b.add(b.mul(x, 0.25), 0.5);
    await writeModel(
      at('normalised.onnx'),
      withOpenBatch(b.builder.build({ y: b.add(b.matmul(raw, w), bias) })),
    );
    const args = ['--data', 'data.npz', '--range', '0,1', '--eps', '0.1'];
    await well('assess', 'normalised.onnx', ...args, '--mean', '0.5', '--std', '0.25', '--out', 'norm');
    await well('assess', 'linear.onnx', ...args, '--out', 'raw');
    const [norm, raws] = [resultAt('norm/assessment.json'), resultAt('raw/assessment.json')];
    expect(norm.worstCases[0]!.robustAccuracy).toBeCloseTo(raws.worstCases[0]!.robustAccuracy, 2);
    expect(norm.model.notes.join(' ')).toContain('normalised with mean 0.5');
  });
});

describe('glacis attack', () => {
  it('saves examples that lie in the ball and fool the model', async () => {
    await well(
      'attack',
      'pgd(steps=10)',
      'linear.onnx',
      '--data',
      'data.npz',
      '--range',
      '0,1',
      '--eps',
      '0.2',
      '--out',
      'adv.npz',
    );
    const read = async (key: string) => {
      const array = await openDataset(at('adv.npz'), { x: key });
      const values = await array.read(0, array.n);
      await array.close();
      return values as Float32Array;
    };
    const [x, original, y, prediction, success] = await Promise.all(
      ['x', 'original', 'y', 'prediction', 'success'].map(read),
    );
    expect(original).toEqual(linearData(N).x);
    for (let i = 0; i < N * FEATURES; i++) {
      expect(Math.abs(x![i]! - original![i]!)).toBeLessThanOrEqual(0.2 + 1e-6);
      expect(x![i]).toBeGreaterThanOrEqual(0);
      expect(x![i]).toBeLessThanOrEqual(1);
    }
    let fell = 0;
    for (let s = 0; s < N; s++) {
      const z = linearLogits(x!, s * FEATURES);
      expect(z.indexOf(Math.max(...z))).toBe(prediction![s]);
      expect(success![s]).toBe(prediction![s] === y![s] ? 0 : 1);
      fell += success![s]!;
    }
    expect(fell).toBeGreaterThan(0);
  });
});

describe('Ctrl-C', () => {
  const args = [
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
  const attacks = ['--attacks', 'fgsm,pgd(steps=60)', '--seed', '5'];
  beforeAll(async () => {
    await writeModel(at('slow.onnx'), slowModel());
    await writeSlowData(at('slow.npz'), 96);
  });

  it('keeps what was found, and --resume goes on to the same bytes', async () => {
    await well(...args, ...attacks, '--out', 'whole');
    const stopped = await glacis([...args, ...attacks, '--out', 'parts'], {
      cwd: home,
      watch: interruptOnce(),
    });
    expect(stopped.code, stopped.stderr).toBe(3);
    expect(stopped.stderr).not.toMatch(/^\s+at .+:\d+/m);
    const partial = resultAt('parts/assessment.json');
    expect(partial.status).toBe('partial');
    expect(partial.statusReason).toContain('Ctrl-C');
    expect(readdirSync(at('parts'))).toContain('checkpoint.json');
    const other = await glacis([...args, '--attacks', 'fgsm', '--out', 'parts', '--resume'], { cwd: home });
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/--resume: .*attacks differ/);
    await well(...args, ...attacks, '--out', 'parts', '--resume');
    const [whole, parts] = [resultAt('whole/assessment.json'), resultAt('parts/assessment.json')];
    expect(parts.status).toBe('complete');
    expect(parts.worstCases).toEqual(whole.worstCases);
    for (const { perSample } of whole.results)
      expect(readFileSync(at(`parts/${perSample}`))).toEqual(readFileSync(at(`whole/${perSample}`)));
    expect(readdirSync(at('parts')).filter((name) => name.startsWith('checkpoint'))).toEqual([]);
  });

  it('twice leaves at once', async () => {
    const began = performance.now();
    let sent = 0;
    const result = await glacis([...args, '--attacks', 'pgd(steps=100000)', '--out', 'twice'], {
      cwd: home,
      watch: (stderr, kill) => {
        if ((sent === 0 && stderr.includes('gradients and')) || (sent === 1 && stderr.includes('Stopping'))) {
          sent++;
          kill('SIGINT');
        }
      },
    });
    expect(sent).toBe(2);
    expect(result.signal).toBe('SIGINT');
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});

/** Sends one Ctrl-C soon after the attacks have begun. */
function interruptOnce() {
  let sent = false;
  return (stderr: string, kill: (signal: NodeJS.Signals) => void) => {
    if (sent || !stderr.includes('gradients and')) return;
    sent = true;
    setTimeout(() => kill('SIGINT'), 150);
  };
}
