import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AssessOptions,
  assess,
  clopperPearson,
  parseAssessment,
  toJson,
} from '../../src/assess/index.ts';
import type { Assessment } from '../../src/assess/result.ts';
import { galleryFrom } from '../../src/cli/gallery.ts';
import { writeNpy } from '../../src/data/index.ts';
import type { Model } from '../../src/onnx/model.ts';
import { writeModel } from '../../src/onnx/write.ts';
import { renderHtml, renderText } from '../../src/report/index.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import { fileOracle } from '../../src/runtime/file-oracle.ts';
import { openTarget } from '../../src/runtime/target.ts';
import { argmax } from '../../src/threat/goal.ts';
import { IMAGE, network, SIZE, speechless } from './odd-networks.ts';

const N = 20;
/** Values from 0.5 up, so that the mean of every sample is above a half. */
const x = Float32Array.from({ length: N * SIZE }, (_, i) => 0.5 + ((i * 7919) % 1009) / 2018);

let engine: Engine;
let home: string;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
  home = mkdtempSync(join(tmpdir(), 'glacis-odd-'));
});
afterAll(async () => {
  await engine.close();
  rmSync(home, { recursive: true, force: true });
});

/** What the model answers to the samples, `[N, k]`. */
async function answersOf(model: Model): Promise<Float32Array> {
  const target = openTarget(engine, model);
  try {
    return (await fileOracle(target, N).ask(x, N)).slice();
  } finally {
    await target.close();
  }
}

const classesIn = (answers: Float32Array, k: number) =>
  Int32Array.from({ length: N }, (_, i) => argmax(answers, i * k, k));

/** Assesses `model` at labels `y`, `[N]` or `[N, k]`, and holds what every result has in common: it can be written, read, and shown. */
async function assessed(
  model: Model,
  y: Int32Array | Float32Array,
  options: Partial<AssessOptions> = {},
): Promise<Assessment> {
  const [file, data, labels] = [join(home, 'model.onnx'), join(home, 'data.npy'), join(home, 'y.npy')];
  await writeModel(file, model);
  await writeNpy(data, { data: x, shape: [N, ...IMAGE] });
  await writeNpy(labels, { data: y, shape: y.length === N ? [N] : [N, y.length / N] });
  const result = await assess({
    model: file,
    data,
    labels,
    range: [0, 1],
    norm: 'linf',
    eps: [0.4],
    threads: 1,
    out: home,
    ...options,
  });
  const { assessment } = result;
  expect(assessment.status).toBe('complete');
  expect(parseAssessment(toJson(assessment))).toEqual(assessment);
  for (const shown of [renderText(assessment), renderHtml(assessment, galleryFrom(result))])
    expect(shown).not.toMatch(/\b(NaN|undefined|Infinity)\b/);
  for (const { n, robustAccuracy, confidence } of assessment.worstCases)
    expect(confidence).toEqual(clopperPearson(Math.round(n * robustAccuracy), n));
  return assessment;
}

const idsOf = ({ findings }: Assessment) => findings.map(({ id }) => id);

describe('an assessment of a model', () => {
  it('that stops giving numbers under attack counts that as a fall, whatever the label', async () => {
    const { worstCases, results } = await assessed(speechless(), new Int32Array(N));
    expect(worstCases[0]).toMatchObject({ cleanAccuracy: 1, robustAccuracy: 0 });
    expect(results.flatMap(({ notes = [] }) => notes).join()).toContain('answers were no numbers');
  });

  it('that is wrong about every sample attacks nothing, and says that the data do not fit', async () => {
    const right = classesIn(await answersOf(network(5)), 5);
    const found = await assessed(
      network(5),
      right.map((y) => (y + 1) % 5),
    );
    expect(found.worstCases[0]).toMatchObject({ cleanAccuracy: 0, robustAccuracy: 0, n: N });
    expect(found.results.map(({ gradientQueries }) => gradientQueries)).toEqual(found.results.map(() => 0));
    expect(idsOf(found)).toContain('evasion/low-clean-accuracy');
    expect(found.reliability?.masked ?? false).toBe(false);
  });

  it('on a single sample has an interval that says how little that is', async () => {
    const right = classesIn(await answersOf(network(5)), 5);
    const found = await assessed(network(5), right, { n: 1, eps: [0.01, 0.4] });
    expect(found.worstCases.map(({ n }) => n)).toEqual([1, 1]);
    const [low, high] = found.worstCases[0]!.confidence;
    expect(high - low).toBeGreaterThan(0.9);
  });

  it('at eps 0 finds it as accurate as without an attack, and still says how near examples are', async () => {
    const right = classesIn(await answersOf(network(5)), 5);
    const found = await assessed(network(5), right, { eps: [0] });
    expect(found.worstCases[0]).toMatchObject({ eps: 0, cleanAccuracy: 1, robustAccuracy: 1 });
    expect(idsOf(found)).not.toContain('evasion/low-robust-accuracy');
    expect(found.reliability?.masked ?? false).toBe(false);
    const nearest = found.results.find(({ minimum }) => minimum)!.minimum!;
    expect(nearest.quartiles[1]).toBeGreaterThan(0);
  });

  it('that answers the same to everything says that nothing was shown', async () => {
    const found = await assessed(network(5, 'constant'), new Int32Array(N));
    expect(found.worstCases[0]!.robustAccuracy).toBe(1);
    expect(idsOf(found)).toContain('evasion/zero-gradients');
    expect(found.reliability!.masked).toBe(true);
  });

  it('that rounds its probabilities falls, and the rounding is seen', async () => {
    const right = classesIn(await answersOf(network(5, 'rounded')), 5);
    const found = await assessed(network(5, 'rounded'), right);
    expect(found.worstCases[0]!.robustAccuracy).toBeLessThan(0.5);
    expect(found.reliability!.checks.find(({ id }) => id === 'steps')).toMatchObject({
      verdict: 'suspicious',
    });
  });

  it('that answers at random says so', async () => {
    const right = classesIn(await answersOf(network(5)), 5);
    expect(idsOf(await assessed(network(5, 'random'), right))).toContain('evasion/randomised-model');
  });

  it('of two classes says what few classes mean', async () => {
    const right = classesIn(await answersOf(network(2)), 2);
    const found = await assessed(network(2), right, { level: 'standard', n: 6 });
    expect(found.worstCases[0]!.robustAccuracy).toBeLessThan(0.5);
    expect(idsOf(found)).toContain('evasion/few-classes');
  });
});

describe('the level standard', () => {
  const standard = { level: 'standard', eps: [0.2], n: 6 } as const;
  const attacks = ['fgsm', 'pgd', 'fmn', 'autoattack', 'deepfool'];

  it.each([
    ['one output', 1, 'binary'],
    ['several labels', 4, 'multilabel'],
  ] as const)('attacks %s with all it has', async (_name, k, task) => {
    const right = Int32Array.from(await answersOf(network(k)), (z) => (z > 0 ? 1 : 0));
    const found = await assessed(network(k), right, { ...standard, task });
    expect(found.results.map(({ attack }) => attack).toSorted()).toEqual(attacks.toSorted());
    expect(found.worstCases[0]!.robustAccuracy).toBeLessThan(1);
  });

  it('attacks a regression with all it has', async () => {
    const right = await answersOf(network(2));
    const found = await assessed(network(2), right, { ...standard, task: 'regression', tolerance: 0.1 });
    expect(found.results.map(({ attack }) => attack).toSorted()).toEqual(attacks.toSorted());
    expect(found.worstCases[0]).toMatchObject({ cleanAccuracy: 1, robustAccuracy: 0 });
  });
});

describe('the level exhaustive', () => {
  it('runs every attack of the norm, and pictures under common corruptions', async () => {
    const right = classesIn(await answersOf(network(5)), 5);
    const found = await assessed(network(5), right, { level: 'exhaustive', eps: [0.1], n: 1 });
    const attacks = [
      ...['fgsm', 'pgd', 'fmn', 'deepfool', 'autoattack', 'mi-fgsm', 'acg', 'fab', 'brendel-bethge', 'nes'],
      ...['hop-skip-jump', 'spatial', 'semantic'],
    ];
    expect(found.results.map(({ attack }) => attack).toSorted()).toEqual(attacks.toSorted());
    expect(found.corruption!.corruptions).toHaveLength(15);
    expect(found.corruption!.meanCorruptionError).toBeGreaterThanOrEqual(0);
  });
});

describe('an endpoint', () => {
  /** `k` linear outputs of the samples, row-major, as the adapter below gives them. */
  const linear = (k: number) =>
    Float32Array.from({ length: N * k }, (_, at) => {
      const [i, c] = [Math.floor(at / k), at % k];
      return x
        .subarray(i * SIZE, (i + 1) * SIZE)
        .reduce((sum, v, j) => sum + (v - 0.75) * Math.sin(1 + 1.7 * j + c), 0);
    });
  const sides = (k: number) => Int32Array.from(linear(k), (z) => (z > 0 ? 1 : 0));
  const attacks = [
    { name: 'square', options: { queries: 100 } },
    { name: 'nes', options: { queries: 300, samples: 20 } },
    { name: 'hop-skip-jump', options: { queries: 300, initEval: 20 } },
  ];

  it.each([
    ['two classes', 2, () => classesIn(linear(2), 2), 'classification'],
    ['one output', 1, () => sides(1), 'binary'],
    ['several labels', 3, () => sides(3), 'multilabel'],
    ['numbers', 2, () => linear(2), 'regression'],
  ] as const)('that answers with %s is attacked by asking alone', async (_name, k, labelsOf, task) => {
    const [adapter, data, labels] = [join(home, `${task}.mjs`), join(home, 'x.npy'), join(home, 'z.npy')];
    writeFileSync(
      adapter,
      `export const sampleShape = [1, 4, 5];
export const outputs = ${k};
export const predict = (x, n) => Array.from({ length: n }, (_, i) => Array.from({ length: ${k} }, (_, c) =>
  x.subarray(20 * i, 20 * i + 20).reduce((sum, v, j) => sum + (v - 0.75) * Math.sin(1 + 1.7 * j + c), 0)));
`,
    );
    const y = labelsOf();
    await writeNpy(data, { data: x, shape: [N, ...IMAGE] });
    await writeNpy(labels, { data: y, shape: y.length === N ? [N] : [N, y.length / N] });
    const { assessment } = await assess({
      ...{ model: adapter, data, labels, task, attacks, norm: 'linf', eps: [0.2], range: [0, 1], out: home },
      ...(task === 'regression' && { tolerance: 0.1 }),
    });
    expect(assessment.results.map(({ attack }) => attack)).toEqual(attacks.map(({ name }) => name));
    for (const { cleanAccuracy, robustAccuracy, gradientQueries } of assessment.results) {
      expect(cleanAccuracy).toBe(1);
      expect(robustAccuracy).toBeLessThan(1);
      expect(gradientQueries).toBe(0);
    }
  });
});
