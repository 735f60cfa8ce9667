import { afterAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../../../core/random.ts';
import { attributesFrom } from '../../../onnx/attributes.ts';
import { GraphBuilder, type Value } from '../../../onnx/graph-builder.ts';
import type { Model, Node, ValueInfo } from '../../../onnx/model.ts';
import { elementCount, float32Tensor, int64Tensor, numbersOf } from '../../../onnx/tensor.ts';
import { f32, type HostTensor, i64 } from '../../../runtime/array.ts';
import { startEngine } from '../../../runtime/engine.ts';
import { blockSizeOf } from '../../../runtime/layout.ts';
import { crossEntropy } from '../../criterion/cross-entropy.ts';
import { madry } from '../../objective/madry.ts';
import type { Objective } from '../../objective/objective.ts';
import { plain } from '../../objective/plain.ts';
import { trades } from '../../objective/trades.ts';
import { withWeightPerturbation } from '../../objective/weight-perturbation.ts';
import { adam } from '../../optimise/adam.ts';
import { trainableParameters } from '../../parameters.ts';
import { buildRecipe, planRecipe } from '../../recipes/registry.ts';
import { initialState, keyOf } from '../../state.ts';
import { writeLesson } from '../../step/lesson.ts';
import { buildStep } from '../../step/step.ts';
import { checkApart } from './check-apart.ts';
import { buildPrivateGradient } from './private-gradient.ts';
import type { NormMethod } from './sample-gradient.ts';

const engine = startEngine({ threads: 1 });
afterAll(() => engine.close());

const net = (text: string, input: readonly number[]) =>
  buildRecipe(planRecipe(text), { input, outputs: 3, seed: 4 });

/** A dense network whose weights go other ways than into one layer each. */
function woven(): Model {
  const rng = randomFrom(5, 'woven');
  const weight = (dims: readonly number[]) =>
    float32Tensor(
      dims,
      Float32Array.from({ length: elementCount(dims) }, () => rng.normal() / 2),
    );
  const node = (op: string, inputs: string[], outputs: string[], attributes = {}): Node => ({
    op,
    domain: '',
    name: outputs[0]!,
    inputs,
    outputs,
    attributes: attributesFrom(attributes),
  });
  const info = (name: string, width: number): ValueInfo => ({
    name,
    type: { kind: 'tensor', dtype: 'float32', dims: ['batch', width] },
  });
  const whole = (values: readonly number[]) => int64Tensor([values.length], values);
  const empty = new GraphBuilder().build({});
  return {
    ...empty,
    graph: {
      ...empty.graph,
      inputs: [info('x', 4)],
      outputs: [info('logits', 3)],
      initializers: new Map([
        ['w', weight([4, 6])],
        ['two', weight([6, 3])],
        ['bias', weight([6])],
        ['zero', whole([0])],
        ['three', whole([3])],
        ['six', whole([6])],
        ['halves', whole([3, 3])],
      ]),
      nodes: [
        node('Split', ['w', 'halves'], ['left', 'right'], { axis: 1 }),
        node('Slice', ['bias', 'zero', 'three'], ['first']),
        node('Slice', ['bias', 'three', 'six'], ['second']),
        node('Add', ['first', 'second'], ['both']),
        node('MatMul', ['x', 'left'], ['a']),
        node('MatMul', ['x', 'right'], ['c']),
        node('Tanh', ['a'], ['ta']),
        node('Add', ['c', 'both'], ['cb']),
        node('Concat', ['ta', 'cb'], ['h'], { axis: 1 }),
        node('MatMul', ['h', 'two'], ['y']),
        node('Transpose', ['two'], ['turned'], { perm: [1, 0] }),
        node('MatMul', ['y', 'turned'], ['again']),
        node('Tanh', ['again'], ['t']),
        node('MatMul', ['t', 'two'], ['logits']),
      ],
    },
  };
}

const CASES: Readonly<Record<string, () => Model>> = {
  mlp: () => net('mlp', [7]),
  'convolutions with pooling, whose weights are used four times': () => net('cnn', [1, 12, 12]),
  'large kernels and strides': () => net('opacus-cnn', [1, 28, 28]),
  'residual blocks with group normalisation': () => net('resnet(depth=8,width=8,norm=group)', [3, 8, 8]),
  attention: () => net('vit', [1, 8, 8]),
  'weights that are parted, joined and used twice': woven,
};

const parametersOf = (model: Model) =>
  model.graph.initializers.has('two') ? ['w', 'two', 'bias'] : trainableParameters(model);

const ROWS = 5;

/** Samples and their clipped sum by gradients of one sample at a time. */
async function reference(model: Model, objective: Objective, samples: number, clip: number) {
  const parameters = parametersOf(model);
  const options = { parameters, criterion: crossEntropy(), objective };
  const step = buildStep(model, { ...options, batch: ROWS, optimiser: adam() });
  const state = initialState(model, step, adam());
  const held = step.carried.filter(({ role }) => role === 'weight');
  const weights = held.map((each) => state.get(keyOf(each))!);
  const {
    b,
    x,
    targets,
    weights: values,
    gradients,
    draws,
  } = writeLesson(model, {
    ...options,
    batch: 1,
    rows: 1,
  });
  const results: Record<string, Value> = Object.fromEntries(gradients.map((g, i) => [`gradient${i}`, g]));
  const session = await engine.open(b.builder.build(results));
  const rng = randomFrom(9, 'samples');
  const size = elementCount(step.sampleDims);
  const data = Float32Array.from({ length: samples * size }, () => rng.uniform());
  const drawn = Float32Array.from({ length: samples * size }, () => 2 * rng.uniform() - 1);
  const labels = Array.from({ length: samples }, () => rng.integer(3));
  const sums = weights.map((w) => new Float64Array(w.length));
  const norms: number[] = [];
  const settings = { eps: 0.1, stepSize: 0.05 };
  for (let n = 0; n < samples; n++) {
    const row = (of: Float32Array) => f32(of.slice(n * size, (n + 1) * size), [1, ...step.sampleDims]);
    const all = await session.run({
      ...Object.fromEntries(values.map(({ value }, i) => [value.name, f32(weights[i]!.slice(), value.dims)])),
      ...settingsFeeds(session.inputs, settings),
      [x.name]: row(data),
      [targets.input]: i64([labels[n]!]),
      ...Object.fromEntries(draws.map(({ input }) => [input, row(drawn)])),
    });
    const own = weights.map((_, i) => all[`gradient${i}`]!.data as Float32Array);
    const norm = Math.sqrt(own.reduce((sum, g) => sum + g.reduce((s, v) => s + v * v, 0), 0));
    norms.push(norm);
    const c = Math.min(1, clip / (norm + 1e-6));
    for (const [i, g] of own.entries()) for (const [k, v] of g.entries()) sums[i]![k]! += c * v;
  }
  await session.close();
  return { weights, sums, norms, data, drawn, labels, size, options, settings };
}

function settingsFeeds(inputs: readonly string[], settings: Readonly<Record<string, number>>) {
  const known = Object.entries(settings).filter(([name]) => inputs.includes(name));
  return Object.fromEntries(known.map(([name, value]) => [name, f32(Float32Array.of(value), [])]));
}

/** The clipped sum of the reference's samples, over physical batches. */
async function clippedSum(
  model: Model,
  given: Awaited<ReturnType<typeof reference>>,
  clip: number,
  norms: NormMethod,
  block = 0,
) {
  const gradient = buildPrivateGradient(model, { ...given.options, rows: ROWS, norms, block });
  const { inputs, sums, measures } = gradient;
  const session = await engine.open(gradient.model, {
    carry: Object.fromEntries(sums.map(({ input, output }) => [input, output])),
  });
  const samples = given.labels.length;
  let last: Record<string, HostTensor> = {};
  let below = 0;
  for (let from = 0; from < samples; from += ROWS) {
    const here = Math.min(ROWS, samples - from);
    const rows = (of: Float32Array) => {
      const all = new Float32Array(ROWS * given.size);
      all.set(of.subarray(from * given.size, (from + here) * given.size));
      // What masked rows hold must not matter.
      all.fill(0.5, here * given.size);
      return f32(all, [ROWS, ...gradient.sampleDims]);
    };
    last = await session.run(
      {
        ...Object.fromEntries(
          inputs.weights.map((name, i) => [name, f32(given.weights[i]!.slice(), sums[i]!.dims)]),
        ),
        ...(from === 0
          ? Object.fromEntries(
              sums.map(({ input, dims }) => [input, f32(new Float32Array(elementCount(dims)), dims)]),
            )
          : {}),
        ...settingsFeeds(session.inputs, given.settings),
        [inputs.x]: rows(given.data),
        [inputs.targets]: i64(Array.from({ length: ROWS }, (_, i) => given.labels[from + i] ?? 0)),
        ...Object.fromEntries(gradient.draws.map(({ input }) => [input, rows(given.drawn)])),
        [inputs.mask]: f32(
          Float32Array.from({ length: ROWS }, (_, i) => (i < here ? 1 : 0)),
          [ROWS],
        ),
        [inputs.clip]: f32(Float32Array.of(clip), []),
      },
      { fetches: [measures.below, ...sums.map(({ output }) => output)] },
    );
    below += Number(last[measures.below]!.data[0]);
  }
  await session.close();
  return { sums: sums.map(({ output }) => last[output]!.data as Float32Array), below, gradient };
}

/** Distance of two lists of arrays over the length of the first. */
function apart(expected: readonly ArrayLike<number>[], got: readonly ArrayLike<number>[]): number {
  let [off, all] = [0, 0];
  for (const [i, e] of expected.entries())
    for (let k = 0; k < e.length; k++) {
      off += (e[k]! - got[i]![k]!) ** 2;
      all += e[k]! ** 2;
    }
  return Math.sqrt(off / all);
}

describe('buildPrivateGradient', () => {
  it.each(Object.entries(CASES))(
    'sums clipped gradients over physical batches as one sample at a time does: %s',
    async (_, make) => {
      const model = make();
      const samples = 2 * ROWS + 1;
      const { norms } = await reference(model, plain(), samples, 1);
      // Some are clipped, some are not.
      const clip = norms.toSorted((a, b) => a - b)[samples >> 1]! * 1.001;
      const given = await reference(model, plain(), samples, clip);
      const block = await blockSizeOf(engine);
      for (const [method, blocked] of [
        ['cheapest', block],
        ['ghost', 0],
        ['explicit', 0],
      ] as const) {
        const { sums, below } = await clippedSum(model, given, clip, method, blocked);
        expect(apart(given.sums, sums), method).toBeLessThan(1e-4);
        expect(below, method).toBe((samples >> 1) + 1);
      }
    },
    60_000,
  );

  const ball = { norm: 'linf', eps: 0.1, steps: 2 } as const;
  it.each<[string, Model, Objective]>([
    ['PGD on a dense network', net('mlp', [7]), madry(ball)],
    // The attack's way back through convolutions turns their kernels around.
    ['PGD on a convolutional network', net('cnn(channels=6 7, hidden=5)', [2, 8, 8]), madry(ball)],
    ['TRADES', net('cnn(channels=6 7, hidden=5)', [2, 8, 8]), trades(ball, 3)],
  ])(
    'clips gradients of samples that were attacked with the same weights: %s',
    async (_, model, objective) => {
      const given = await reference(model, objective, 7, 0.5);
      const { sums } = await clippedSum(model, given, 0.5, 'cheapest');
      expect(apart(given.sums, sums)).toBeLessThan(1e-4);
    },
  );

  it('takes the ghost norm where that is cheaper', () => {
    const options = { criterion: crossEntropy(), objective: plain(), rows: 2 };
    const model = net('opacus-cnn', [1, 28, 28]);
    const parameters = trainableParameters(model);
    const { methods } = buildPrivateGradient(model, { ...options, parameters });
    const by = Object.fromEntries(parameters.map((name, i) => [name, methods[i]]));
    expect(by).toMatchObject({
      'conv1.weight': 'explicit',
      'conv2.weight': 'ghost',
      'dense.weight': 'ghost',
      'dense.bias': 'explicit',
    });
  });

  it('refuses BatchNormalization and names the way out', () => {
    const model = net('resnet(depth=8,width=8,norm=batch)', [3, 8, 8]);
    const parameters = trainableParameters(model);
    expect(() =>
      buildPrivateGradient(model, { parameters, criterion: crossEntropy(), objective: plain(), rows: 2 }),
    ).toThrow(/BatchNormalization.*rewrite it to GroupNormalization/);
  });

  it('refuses a recurrent network, in which samples lie along another axis than the first', () => {
    const model = net('gru', [5, 4]);
    const parameters = trainableParameters(model);
    expect(() =>
      buildPrivateGradient(model, { parameters, criterion: crossEntropy(), objective: plain(), rows: 2 }),
    ).toThrow(/private training: expected weights that layers take as they are/);
  });

  it('refuses an objective that mixes samples', () => {
    const model = net('mlp', [7]);
    const objective = withWeightPerturbation(plain());
    expect(() =>
      buildPrivateGradient(model, {
        parameters: trainableParameters(model),
        criterion: crossEntropy(),
        objective,
        rows: 2,
      }),
    ).toThrow(/each sample is learned from on its own/);
  });
});

describe('checkApart', () => {
  const check = async (model: Model) => {
    const options = { parameters: parametersOf(model), criterion: crossEntropy(), objective: plain() };
    const gradient = buildPrivateGradient(model, { ...options, rows: 4 });
    const session = await engine.open(gradient.model);
    const { weights } = await reference(model, plain(), 1, 1);
    await checkApart(engine, model, gradient, session, weights, options).finally(() => session.close());
  };
  it.each(Object.entries(CASES))('finds nothing wrong with %s', (_, make) => check(make()), 20_000);

  it('finds nothing wrong with a network that is so sure that its gradients are short', async () => {
    const model = net('mlp', [7]);
    const { graph } = model;
    const sure = new Map(
      [...graph.initializers].map(([name, tensor]) => [
        name,
        name === 'head.weight'
          ? float32Tensor(
              tensor.dims,
              Float32Array.from(numbersOf(tensor), (v) => 30 * v),
            )
          : tensor,
      ]),
    );
    await check({ ...model, graph: { ...graph, initializers: sure } });
  });

  it('finds that samples influence each other, by whatever operators', async () => {
    const { graph, ...rest } = net('mlp', [7]);
    const mean: Node = {
      op: 'ReduceMean',
      domain: '',
      name: 'mean',
      inputs: ['input', 'axes'],
      outputs: ['mean'],
      attributes: attributesFrom({ keepdims: 1 }),
    };
    const centred: Node = {
      ...mean,
      op: 'Sub',
      name: 'centred',
      inputs: ['input', 'mean'],
      outputs: ['centred'],
    };
    const nodes = graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((name) => (name === 'input' ? 'centred' : name)),
    }));
    const mixing: Model = {
      ...rest,
      graph: {
        ...graph,
        initializers: new Map([...graph.initializers, ['axes', int64Tensor([1], [0])]]),
        nodes: [mean, { ...centred, attributes: new Map() }, ...nodes],
      },
    };
    await expect(check(mixing)).rejects.toThrow(/takes each sample on its own/);
  });
});
