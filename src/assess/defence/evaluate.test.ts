import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSpecs } from '../../core/options.ts';
import { writeNpz } from '../../data/index.ts';
import { readModel } from '../../onnx/read.ts';
import { writeModel } from '../../onnx/write.ts';
import { DEFENCES_KEY } from '../../transform/defence/defend.ts';
import {
  DETECTOR_KEY,
  type DetectorRecord,
  SQUEEZE_DISTANCE,
  withDetector,
} from '../../transform/defence/detector.ts';
import { planDefences } from '../../transform/defence/registry.ts';
import { TEMPERATURE_KEY } from '../../transform/temperature.ts';
import { type BuildOptions, buildDefended } from './build.ts';
import { detectorOf } from './detector-record.ts';
import { type EvaluateOptions, evaluateDefence } from './evaluate.ts';
import { linearPictures, N, PICTURE, robustShare, X, Y } from './linear-pictures.fixture.ts';
import type { Attacker, DefenceEvaluation } from './result.ts';
import { defenceToJson, parseDefence } from './result-json.ts';

const EPS = 0.03;
let home: string;
const at = (name: string) => join(home, name);

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-defence-'));
  await writeModel(at('plain.onnx'), linearPictures());
  await writeModel(at('sure.onnx'), linearPictures(100));
  await writeModel(at('soft.onnx'), linearPictures(100, 'Softmax'));
  await writeNpz(at('data.npz'), { x: { data: X, shape: [N, ...PICTURE] }, y: { data: Y, shape: [N] } });
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const build = (text: string, more: Partial<BuildOptions> = {}) =>
  buildDefended({
    model: at('plain.onnx'),
    data: at('data.npz'),
    out: at('defended.onnx'),
    defences: text === '' ? [] : planDefences(text),
    threads: 1,
    ...more,
  });
const evaluate = (more: Partial<EvaluateOptions> = {}) =>
  evaluateDefence({
    model: at('plain.onnx'),
    defended: at('defended.onnx'),
    data: at('data.npz'),
    attack: parseSpecs('apgd-ce(steps=20)')[0]!,
    norm: 'linf',
    eps: EPS,
    threads: 1,
    ...more,
  });
const rowOf = ({ rows }: DefenceEvaluation, attacker: Attacker) => rows.find((r) => r.attacker === attacker)!;

describe('evaluateDefence', () => {
  it('finds the optimum of a linear model, and nothing gained by steps that the attacker passes', async () => {
    await build('bit-depth(bits=8)');
    const found = await evaluate();
    expect(found.rows.map((r) => r.attacker)).toEqual([
      'clean',
      'unaware',
      'direct',
      'adaptive',
      'margin',
      'asking',
      'worst',
    ]);
    const optimum = robustShare(EPS);
    expect(optimum).toBeGreaterThan(0.2);
    expect(optimum).toBeLessThan(0.7);
    expect(rowOf(found, 'worst').undefended.accuracy).toBe(optimum);
    // Rounding to 255 levels moves a value by 0.002 at most.
    expect(rowOf(found, 'worst').defended.accuracy).toBeLessThanOrEqual(robustShare(EPS - 0.002));
    expect(rowOf(found, 'worst').defended.accuracy).toBeGreaterThanOrEqual(robustShare(EPS + 0.002));
    // Without a gradient nothing moves: what looks like a perfect defence.
    const { direct, clean } = { direct: rowOf(found, 'direct'), clean: rowOf(found, 'clean') };
    expect(direct.defended.accuracy).toBeGreaterThan(optimum + 0.2);
    expect(clean.defended.accuracy).toBeGreaterThanOrEqual(direct.defended.accuracy);
    expect(rowOf(found, 'adaptive').attack).toBe('apgd-ce(steps=20, rounding=straight-through)');
    expect(found.defences).toBe('bit-depth(bits=8)');
    expect(parseDefence(defenceToJson(found))).toEqual(found);
  });

  it('is the same for a model whose pictures are normalised in front of it', async () => {
    const normal = { mean: [0.5], std: [0.25] };
    await writeModel(at('normal.onnx'), linearPictures(4, undefined, { mean: 0.5, std: 0.25 }));
    const rates = async (more: Partial<EvaluateOptions>) =>
      (await evaluate(more)).rows.map((r) => [r.attacker, r.undefended.right, r.defended.right]);
    await build('median(window=2), total-variation(steps=2)');
    const plain = await rates({});
    await build('median(window=2), total-variation(steps=2)', { model: at('normal.onnx'), ...normal });
    expect(await rates({ model: at('normal.onnx'), ...normal })).toEqual(plain);
    const squeezers = planDefences('median(window=2)');
    await build('', { model: at('normal.onnx'), squeezers, temperature: true, ...normal });
    const { detector } = await evaluate({ model: at('normal.onnx'), skip: N / 2, ...normal });
    expect(detector!.rows.at(-1)!.attacker).toBe('detector-aware');
  });

  it('attacks smooth defences directly only, and random ones by averaging', async () => {
    await build('gaussian(sigma=0.5)');
    const smooth = await evaluate();
    expect(smooth.rows.map((r) => r.attacker)).not.toContain('adaptive');
    expect(smooth.randomised).toBe(false);
    await build('noise(sigma=0.05, seed=1)');
    const random = await evaluate();
    expect(random.randomised).toBe(true);
    expect(rowOf(random, 'adaptive').attack).toBe('apgd-ce(steps=20, average=10)');
  });

  it('is the same twice', async () => {
    await build('median(window=2)');
    const timeless = ({ startedAt: _, finishedAt: __, ...rest }: DefenceEvaluation) => rest;
    expect(timeless(await evaluate({ n: 10 }))).toEqual(timeless(await evaluate({ n: 10, batch: 3 })));
  });

  it('refuses models of other samples, attacks that only ask, and data that are used up', async () => {
    await build('median(window=2)');
    await expect(evaluate({ attack: parseSpecs('square')[0]! })).rejects.toThrow('--attack');
    await expect(evaluate({ norm: 'l0' })).rejects.toThrow('--norm');
    await expect(evaluate({ skip: N })).rejects.toThrow('fitted');
  });
});

describe('buildDefended', () => {
  it('writes what it was asked for without data', async () => {
    const built = await build('median, bit-depth', { data: undefined });
    expect(built).toEqual({ fitted: 0 });
    const { metadata } = await readModel(at('defended.onnx'));
    expect(metadata.get(DEFENCES_KEY)).toBe('median(window=3), bit-depth(bits=4)');
  });

  it.each(['sure.onnx', 'soft.onnx'])(
    'fits a detector and a temperature on the first half (%s)',
    async (model) => {
      const squeezers = planDefences('bit-depth(bits=3)');
      const built = await build('', {
        model: at(model),
        squeezers,
        falsePositiveRate: 0.2,
        temperature: true,
      });
      expect(built.fitted).toBe(N / 2);
      const { before, after, temperature } = built.temperature!;
      // A tenth of the labels is wrong: a sure model is too sure.
      expect(temperature).toBeGreaterThan(1);
      expect(after.nll).toBeLessThan(before.nll);
      expect(after.accuracy).toBe(before.accuracy);
      const file = await readModel(at('defended.onnx'));
      expect(file.graph.outputs.map((o) => o.name)).toEqual(['scores', SQUEEZE_DISTANCE]);
      expect(Number(file.metadata.get(TEMPERATURE_KEY))).toBe(temperature);
      expect(detectorOf(file)).toEqual({
        output: SQUEEZE_DISTANCE,
        squeezers: ['bit-depth(bits=3)'],
        threshold: built.threshold,
        falsePositiveRate: 0.2,
        samples: N / 2,
      });
      const found = await evaluate({ model: at(model), skip: built.fitted });
      expect(found.data.n).toBe(N / 2);
      const { detector } = found;
      expect(detector!.passed.n).toBe(N / 2);
      expect(detector!.rows.map((r) => r.attacker)).toEqual([
        'unaware',
        'direct',
        'margin',
        'asking',
        'detector-aware',
      ]);
      expect(parseDefence(defenceToJson({ ...found, temperature: built.temperature! }))).toBeDefined();
    },
  );

  it('does not write over the model', async () => {
    await expect(build('median', { out: at('plain.onnx') })).rejects.toThrow('--out');
  });

  it('leaves the temperature alone where the samples set no limit', async () => {
    const right = Array.from(Y.keys()).filter((i) => i % 10 !== 9);
    const size = X.length / N;
    await writeNpz(at('right.npz'), {
      x: {
        data: Float32Array.from(right.flatMap((i) => Array.from(X.subarray(i * size, (i + 1) * size)))),
        shape: [right.length, ...PICTURE],
      },
      y: { data: Int32Array.from(right, (i) => Y[i]!), shape: [right.length] },
    });
    const { temperature } = await build('', { data: at('right.npz'), temperature: true });
    expect(temperature).toMatchObject({ temperature: 1, atLimit: true });
    expect(temperature!.after).toEqual(temperature!.before);
    expect((await readModel(at('defended.onnx'))).metadata.has(TEMPERATURE_KEY)).toBe(false);
  });

  it.each([
    ['nothing to do', {}, 'expected a defence'],
    ['no data to fit on', { data: undefined, temperature: true }, '--data'],
    ['a share of 1', { falsePositiveRate: 1, temperature: true }, '--detector-fpr'],
    ['a single sample', { n: 1, temperature: true }, 'two samples'],
    ['inputs beside the pictures', { fix: { other: 'other.npy' }, temperature: true }, '--fix'],
  ])('refuses %s', async (_, more, hint) => {
    await expect(build('', more)).rejects.toThrow(hint);
  });
});

describe('detectorOf', () => {
  it('reads no record that is broken or huge', () => {
    const model = withDetector(linearPictures(), planDefences('bit-depth'));
    const good: DetectorRecord = {
      output: SQUEEZE_DISTANCE,
      squeezers: ['bit-depth(bits=4)'],
      threshold: 1,
      falsePositiveRate: 0.05,
      samples: 10,
    };
    const read = (text: string) => detectorOf({ ...model, metadata: new Map([[DETECTOR_KEY, text]]) });
    expect(read(JSON.stringify(good))).toEqual(good);
    for (const bad of [
      '',
      '{',
      'null',
      '[]',
      JSON.stringify({ ...good, threshold: -1 }),
      JSON.stringify({ ...good, threshold: 'x' }),
      JSON.stringify({ ...good, squeezers: new Array(1000).fill('median(window=7)') }),
    ])
      expect(read(bad)).toBeUndefined();
    expect(
      detectorOf({ ...linearPictures(), metadata: new Map([[DETECTOR_KEY, JSON.stringify(good)]]) }),
    ).toBeUndefined();
  });
});
