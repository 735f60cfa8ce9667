import { describe, expect, it } from 'vitest';
import type { Model, Node } from '../../onnx/model.ts';
import { runInRuntime } from '../../onnx/ort.fixture.ts';
import { parseModel } from '../../onnx/read.ts';
import { float32Tensor } from '../../onnx/tensor.ts';
import { serializeModel } from '../../onnx/write.ts';
import { randomTensor } from '../one-node.fixture.ts';
import { defend } from './defend.ts';
import { DETECTOR_KEY, SQUEEZE_DISTANCE, squeezedMean, withDetector, withThreshold } from './detector.ts';
import { farthest, identityModel, randomPictures } from './picture-model.fixture.ts';
import { planDefences } from './registry.ts';

const DIMS = [3, 1, 6, 6];
const SQUEEZERS = planDefences('bit-depth(bits=2), median(window=2)');

describe('the detector', () => {
  it.each([undefined, 'Softmax', 'LogSoftmax'] as const)(
    'gives the largest distance of probabilities (final activation: %s)',
    async (activation) => {
      const model = linear(activation);
      const data = randomPictures(DIMS);
      const run = async (m: Model) => runInRuntime(m, { x: { dims: DIMS, data } });
      const plain = await run(model);
      const found = await run(parseModel(serializeModel(withDetector(model, SQUEEZERS))));
      expect(found.y).toEqual(plain.y);
      const probabilities = (scores: readonly number[]) => rows(scores).map((row) => share(row, activation));
      const clean = probabilities(plain.y!.data);
      const distances = await Promise.all(
        SQUEEZERS.map(async (one) => {
          const squeezed = probabilities((await run(defend(model, [one]))).y!.data);
          return clean.map((row, i) => row.reduce((sum, p, k) => sum + Math.abs(p - squeezed[i]![k]!), 0));
        }),
      );
      const expected = distances[0]!.map((d, i) => Math.max(d, distances[1]![i]!));
      expect(found[SQUEEZE_DISTANCE]!.dims).toEqual([3]);
      expect(farthest(found[SQUEEZE_DISTANCE]!.data, expected)).toBeLessThan(1e-5);
      expect(Math.max(...expected)).toBeGreaterThan(0.01);
    },
  );

  it.each([11, 21])('means the same at opset %i', async (opset) => {
    const data = randomPictures(DIMS);
    const run = async (m: Model) =>
      (await runInRuntime(m, { x: { dims: DIMS, data } }))[SQUEEZE_DISTANCE]!.data;
    const model = withDetector(linear(undefined), SQUEEZERS);
    expect(await run({ ...model, opsets: new Map([['', opset]]) })).toEqual(await run(model));
  });

  it('shares its weights with the copies', () => {
    const model = linear(undefined);
    const weights = (m: Model) => [...m.graph.initializers.values()].filter((t) => t.dims[0] === 36).length;
    expect(weights(withDetector(model, SQUEEZERS))).toBe(weights(model));
  });

  it('writes down its threshold', () => {
    const found = { threshold: 0.7, falsePositiveRate: 0.05, samples: 100 };
    const { metadata } = withThreshold(withDetector(linear(undefined), SQUEEZERS), SQUEEZERS, found);
    expect(JSON.parse(metadata.get(DETECTOR_KEY)!)).toEqual({
      output: SQUEEZE_DISTANCE,
      squeezers: ['bit-depth(bits=2)', 'median(window=2)'],
      ...found,
    });
  });

  it('is put on once, and only on scores of classes', () => {
    const twice = () => withDetector(withDetector(linear(undefined), SQUEEZERS), SQUEEZERS, { output: 'y' });
    expect(twice).toThrow(SQUEEZE_DISTANCE);
    expect(() => withDetector(identityModel(['n', 1, 6, 6]), SQUEEZERS)).toThrow('classes');
    expect(() => withDetector(linear(undefined), [])).toThrow('at least one');
  });

  it.each([undefined, 'Softmax', 'LogSoftmax'] as const)(
    'is attacked through the mean of log probabilities (final activation: %s)',
    async (activation) => {
      const model = linear(activation);
      const data = randomPictures(DIMS);
      const run = async (m: Model) =>
        Object.values(await runInRuntime(m, { x: { dims: DIMS, data } }))[0]!.data;
      const all = await Promise.all([model, ...SQUEEZERS.map((one) => defend(model, [one]))].map(run));
      const logs = all.map((scores) => rows(scores).flatMap((row) => share(row, activation).map(Math.log)));
      const expected = logs[0]!.map((_, i) => logs.reduce((sum, l) => sum + l[i]!, 0) / logs.length);
      expect(farthest(await run(squeezedMean(model, SQUEEZERS)), expected)).toBeLessThan(1e-4);
    },
  );
});

const CLASSES = 4;

const rows = (scores: readonly number[]) =>
  Array.from({ length: scores.length / CLASSES }, (_, i) => scores.slice(i * CLASSES, (i + 1) * CLASSES));

function share(row: readonly number[], activation: string | undefined): number[] {
  if (activation === 'Softmax') return [...row];
  const powers = row.map(Math.exp);
  const total = activation === 'LogSoftmax' ? 1 : powers.reduce((sum, p) => sum + p, 0);
  return powers.map((p) => p / total);
}

/** A linear classifier of pictures. */
function linear(activation: 'Softmax' | 'LogSoftmax' | undefined): Model {
  const model = identityModel(['batch', ...DIMS.slice(1)]);
  const node = (op: string, inputs: string[], output: string): Node => ({
    op,
    domain: '',
    name: op,
    inputs,
    outputs: [output],
    attributes: new Map(),
  });
  const w = randomTensor('weights', [36, CLASSES], -0.5, 0.5);
  return {
    ...model,
    graph: {
      ...model.graph,
      outputs: [{ name: 'y', type: { kind: 'tensor', dtype: 'float32', dims: ['batch', CLASSES] } }],
      initializers: new Map([
        ['w', w],
        ['zero', float32Tensor([CLASSES], [0, 0, 0, 0])],
      ]),
      nodes: [
        node('Flatten', ['x'], 'flat'),
        node('MatMul', ['flat', 'w'], 'product'),
        node('Add', ['product', 'zero'], activation ? 'logits' : 'y'),
        ...(activation ? [node(activation, ['logits'], 'y')] : []),
      ],
    },
  };
}
