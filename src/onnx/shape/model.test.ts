import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type AttributeInput, attributesFrom } from '../attributes.ts';
import type { Dim, FunctionDefinition, Graph, Model, Node, ValueInfo } from '../model.ts';
import { readModel } from '../read.ts';
import { boolTensor, int64Tensor, numbersOf, type Tensor } from '../tensor.ts';
import { inferModel } from './model.ts';

const float = (name: string, dims: readonly Dim[] | undefined): ValueInfo => ({
  name,
  type: { kind: 'tensor', dtype: 'float32', dims },
});
const call = (
  op: string,
  inputs: string,
  outputs: string,
  attributes: Record<string, AttributeInput> = {},
  domain = '',
): Node => ({
  op,
  domain,
  name: op,
  inputs: inputs.split(' '),
  outputs: outputs.split(' '),
  attributes: attributesFrom(attributes),
});
const graphOf = (nodes: readonly Node[], inputs: readonly ValueInfo[], rest: Partial<Graph> = {}): Graph => ({
  name: 'g',
  inputs,
  outputs: [],
  initializers: new Map<string, Tensor>(),
  nodes,
  valueTypes: new Map(),
  ...rest,
});
const modelOf = (graph: Graph, functions: readonly FunctionDefinition[] = []): Model => ({
  irVersion: 10,
  opsets: new Map([
    ['', 21],
    ['local', 1],
  ]),
  graph,
  functions,
  producer: '',
  metadata: new Map(),
});
const functionOf = (name: string, nodes: readonly Node[]): FunctionDefinition => ({
  domain: 'local',
  name,
  overload: '',
  inputs: ['a', 'b'],
  outputs: ['r'],
  attributes: [],
  attributeDefaults: attributesFrom({ which: 1 }),
  nodes,
  opsets: new Map([
    ['', 21],
    ['local', 1],
  ]),
});

describe('inferModel', () => {
  const nodes = [
    call('Shape', 'x', 's'),
    call('Gather', 's zero', 'n', { axis: 0 }),
    call('Unsqueeze', 'n zero1', 'n1'),
    call('Concat', 'n1 rest', 'target', { axis: 0 }),
    call('Reshape', 'x target', 'y'),
    call('Relu', 'y', 'z'),
  ];
  const initializers = new Map([
    ['zero', int64Tensor([], [0])],
    ['zero1', int64Tensor([1], [0])],
    ['rest', int64Tensor([1], [-1])],
  ]);
  const model = modelOf(graphOf(nodes, [float('x', ['N', 4, 4])], { initializers }));

  it('folds what shapes decide, once the input is fixed', () => {
    const facts = inferModel(model, { x: [3, 4, 4] });
    expect(facts.get('z')?.dims).toEqual([3, 16]);
    expect(Array.from(numbersOf(facts.get('target')!.data!))).toEqual([3, -1]);
  });

  it('carries a symbolic size from Shape to Reshape', () => {
    expect(inferModel(model).get('z')?.dims).toEqual(['N', 16]);
    expect(inferModel(model).get('target')?.elements).toEqual(['N', -1]);
  });

  it('carries a symbolic size through what exporters write around Expand', () => {
    const constants = new Map([
      ['minus', int64Tensor([2], [-1, -1])],
      ['ones', int64Tensor([2], [1, 1])],
      ['one', int64Tensor([1], [1])],
      ['start', int64Tensor([1], [0])],
      ['c0', int64Tensor([], [0])],
      ['c1', int64Tensor([], [1])],
    ]);
    const expand = graphOf(
      [
        call('Shape', 'x', 's'),
        call('Slice', 's start one', 'n'),
        call('Mul', 'n one', 'm'),
        call('Concat', 'm one', 'to', { axis: 0 }),
        call('Equal', 'to minus', 'is'),
        call('Where', 'is ones to', 'size'),
        call('Expand', 'token size', 'y'),
        call('ConstantOfShape', 'n', 'z'),
        call('Squeeze', 'n start', 'scalar'),
        call('Range', 'c0 scalar c1', 'r'),
        call('Add', 'n one', 'unknown'),
        call('ConstantOfShape', 'unknown', 'u'),
      ],
      [float('x', ['N', 4]), float('token', [1, 1])],
      { initializers: constants },
    );
    const facts = inferModel(modelOf(expand));
    expect(['y', 'z', 'r', 'u'].map((name) => facts.get(name)?.dims)).toEqual([
      ['N', 1],
      ['N'],
      ['N'],
      [null],
    ]);
  });

  it('fixes a symbol in all inputs at once', () => {
    const two = modelOf(
      graphOf([call('Concat', 'x y', 'z', { axis: 1 })], [float('x', ['N', 2]), float('y', ['N', 'M'])]),
    );
    expect(inferModel(two, { x: [5, 2] }).get('z')?.dims).toEqual([5, null]);
    expect(inferModel(two, { x: [5, 2] }).get('y')?.dims).toEqual([5, 'M']);
  });

  it('refuses sizes for inputs that do not exist or do not fit', () => {
    const refused = (dims: Record<string, (number | string)[]>) =>
      expect(() => inferModel(model, dims)).toThrow(expect.objectContaining({ code: 'option/invalid' }));
    refused({ q: [1] });
    refused({ x: [1, 4] });
    refused({ x: [1, 5, 4] });
    refused({ x: [-1, 4, 4] });
    refused({ x: [1.5, 4, 4] });
  });

  it('takes the file’s word only for operators without a rule', () => {
    const valueTypes = new Map([
      ['u', float('u', [7]).type],
      ['z', float('z', [99]).type],
    ]);
    const unknown = modelOf(
      graphOf([call('Mystery', 'x', 'u', {}, 'com.example'), call('Relu', 'u', 'z')], [float('x', [2])], {
        valueTypes,
      }),
    );
    expect(inferModel(unknown).get('z')?.dims).toEqual([7]);
    const silent = modelOf(
      graphOf([call('Mystery', 'x', 'u', {}, 'com.example'), call('Relu', 'u', 'z')], [float('x', [2])]),
    );
    expect(inferModel(silent).has('z')).toBe(false);
  });

  it('follows the branches of If, and one of them where the condition is constant', () => {
    const branch = (op: string, attributes: Record<string, AttributeInput>) => ({
      kind: 'graph' as const,
      value: graphOf([call(op, 'x', 'r', attributes)], [], { outputs: [float('r', undefined)] }),
    });
    const branches = { then_branch: branch('Relu', {}), else_branch: branch('Flatten', { axis: 2 }) };
    const graph = graphOf(
      [call('If', 'c', 'y', branches)],
      [float('x', [2, 3]), { name: 'c', type: { kind: 'tensor', dtype: 'bool', dims: [] } }],
    );
    expect(inferModel(modelOf(graph)).get('y')?.dims).toEqual([null, null]);
    const fixed = graphOf(graph.nodes, graph.inputs.slice(0, 1), {
      initializers: new Map([['c', boolTensor([], [false])]]),
    });
    expect(inferModel(modelOf(fixed)).get('y')?.dims).toEqual([6, 1]);
  });

  it('walks model-local functions with their attributes and absent inputs', () => {
    const body: Node[] = [
      {
        ...call('Concat', 'a a', 'c'),
        attributes: new Map([['axis', { kind: 'reference', value: 'which' }]]),
      },
      call('Clip', 'c b', 'r'),
    ];
    const facts = (attributes: Record<string, AttributeInput>) =>
      inferModel(
        modelOf(graphOf([call('F', 'x', 'y', attributes, 'local')], [float('x', [2, 3])]), [
          functionOf('F', body),
        ]),
      );
    expect(facts({}).get('y')?.dims).toEqual([2, 6]);
    expect(facts({ which: 0 }).get('y')?.dims).toEqual([4, 3]);
  });

  it('stops at functions that call themselves, once or twice', () => {
    const x = [float('x', [2])];
    const once = functionOf('F', [call('F', 'a', 'r', {}, 'local')]);
    expect(() => inferModel(modelOf(graphOf([call('F', 'x', 'y', {}, 'local')], x), [once]))).toThrow(
      /nested at most 64/,
    );
    const layers = Array.from({ length: 60 }, (_, i) =>
      functionOf(`F${i}`, [
        call(`F${i + 1}`, 'a', 'm', {}, 'local'),
        call(`F${i + 1}`, 'm', 'r', {}, 'local'),
      ]),
    );
    expect(() => inferModel(modelOf(graphOf([call('F0', 'x', 'y', {}, 'local')], x), layers))).toThrow(
      /at most 1000000 operator calls/,
    );
  });

  it('names the node that contradicts its inputs', () => {
    const wrong = modelOf(
      graphOf([{ ...call('MatMul', 'x x', 'y'), name: 'head/fc' }], [float('x', [2, 3])]),
    );
    expect(() => inferModel(wrong)).toThrow(
      expect.objectContaining({
        code: 'model/invalid',
        message: expect.stringContaining('MatMul head/fc: '),
      }),
    );
  });
});

const folder = join(process.env.GLACIS_SHARED ?? '../shared', 'models');
const files = existsSync(folder) ? readdirSync(folder).filter((f) => f.endsWith('.onnx')) : [];

describe.skipIf(files.length === 0)(
  'inferModel on real models (skipped without GLACIS_SHARED/models)',
  () => {
    it.each(files)('%s: every value has a size once the batch is fixed', async (file) => {
      const model = await readModel(join(folder, file));
      const batch = (info: ValueInfo): number[] =>
        info.type.kind === 'tensor' ? (info.type.dims ?? []).map((d) => (typeof d === 'number' ? d : 2)) : [];
      const facts = inferModel(model, Object.fromEntries(model.graph.inputs.map((i) => [i.name, batch(i)])));
      const values = model.graph.nodes.flatMap((n) => n.outputs).filter((name) => name !== '');
      const open = values.filter((name) => !facts.get(name)?.dims?.every((d) => typeof d === 'number'));
      expect(open).toEqual([]);
      expect(facts.get(model.graph.outputs[0]!.name)?.dims?.[0]).toBe(2);
    });
  },
);
