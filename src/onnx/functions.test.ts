import { describe, expect, it } from 'vitest';
import { inlineFunctions } from './functions.ts';
import { definition, graph, model, node, refusal, reluModel, value } from './model.fixture.ts';
import type { Attribute, FunctionDefinition, Graph, Model, Node } from './model.ts';
import { inputsFor, runInRuntime } from './ort.fixture.ts';
import { parseModel } from './read.ts';
import { boolTensor, float32Tensor } from './tensor.ts';
import { serializeModel } from './write.ts';

const call = (
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
): Node => node(op, inputs, outputs, attributes, { domain: 'local' });

const reference = (name: string, type: number): Attribute => ({ kind: 'reference', value: name, type });

function withFunctions(
  functions: readonly FunctionDefinition[],
  parts: Partial<Omit<Graph, 'initializers'>>,
): Model {
  const opsets = new Map([
    ['', 17],
    ['local', 1],
  ]);
  const withDomain = functions.map((f) => ({
    ...f,
    opsets: f.opsets.size === 0 ? f.opsets : new Map([...f.opsets, ['local', 1]]),
  }));
  return model(graph({ inputs: [value('x', [2, 3])], outputs: [value('y', [2, 3])], ...parts }), {
    opsets,
    functions: withDomain,
  });
}

/** Inlines, checks that plain operators remain and that ONNX Runtime computes the same with and without. */
async function inlinedAlike(m: Model): Promise<Model> {
  const inlined = inlineFunctions(parseModel(serializeModel(m)));
  expect(inlined.functions).toEqual([]);
  expect([...inlined.opsets.keys()]).not.toContain('local');
  const inputs = inputsFor(m);
  expect(await runInRuntime(inlined, inputs)).toEqual(await runInRuntime(m, inputs));
  return inlined;
}

/** `b = LeakyRelu(a − 0.5, alpha)`, with alpha from the caller or 0.25. */
const shifted = definition({
  name: 'Shifted',
  inputs: ['a'],
  outputs: ['b'],
  attributeDefaults: new Map<string, Attribute>([['alpha', { kind: 'float', value: 0.25 }]]),
  nodes: [
    node('Constant', [], ['half'], { value_float: { kind: 'float', value: 0.5 } }),
    node('Sub', ['a', 'half'], ['t'], {}, { name: 'sub' }),
    node('LeakyRelu', ['t'], ['b'], { alpha: reference('alpha', 1) }),
  ],
});

describe('inlineFunctions', () => {
  it('leaves a model without functions as it is', () => {
    const m = reluModel();
    expect(inlineFunctions(m)).toBe(m);
  });

  it('replaces calls by nodes that compute the same, with values and defaults of attributes', async () => {
    const m = withFunctions([shifted], {
      nodes: [
        call('Shifted', ['x'], ['t'], { alpha: { kind: 'float', value: 2 } }),
        call('Shifted', ['t'], ['y']),
      ],
    });
    const inlined = await inlinedAlike(m);
    const relus = inlined.graph.nodes.filter((n) => n.op === 'LeakyRelu');
    expect(relus.map((n) => n.attributes.get('alpha'))).toEqual([
      { kind: 'float', value: 2 },
      { kind: 'float', value: 0.25 },
    ]);
    expect(new Set(inlined.graph.nodes.flatMap((n) => n.outputs)).size).toBe(6);
  });

  it('leaves out an attribute that neither caller nor default gives', async () => {
    const f = definition({
      name: 'Plain',
      inputs: ['a'],
      outputs: ['b'],
      attributes: ['slope'],
      nodes: [node('LeakyRelu', ['a'], ['b'], { alpha: reference('slope', 1) })],
    });
    const inlined = await inlinedAlike(withFunctions([f], { nodes: [call('Plain', ['x'], ['y'])] }));
    expect(inlined.graph.nodes[0]!.attributes.size).toBe(0);
  });

  it('hands attributes through functions that call functions', async () => {
    const outer = definition({
      name: 'Twice',
      inputs: ['p'],
      outputs: ['q'],
      attributes: ['slope'],
      nodes: [call('Shifted', ['p'], ['t'], { alpha: reference('slope', 1) }), call('Shifted', ['t'], ['q'])],
    });
    const nodes = [call('Twice', ['x'], ['y'], { slope: { kind: 'float', value: 3 } })];
    const inlined = await inlinedAlike(withFunctions([outer, shifted], { nodes }));
    expect(inlined.graph.nodes).toHaveLength(6);
  });

  it('keeps names apart where the caller already uses those of the body', async () => {
    const nodes = [
      node('Neg', ['x'], ['Shifted_1/t']),
      call('Shifted', ['Shifted_1/t'], ['half']),
      node('Abs', ['half'], ['y']),
    ];
    await inlinedAlike(withFunctions([shifted], { nodes }));
  });

  it('renames values of graphs inside the body, and what they take from around them', async () => {
    const branch = (op: string): Attribute => ({
      kind: 'graph',
      value: graph({
        outputs: [value('r', null)],
        nodes: [node(op, ['t'], ['s']), node('Neg', ['s'], ['r'])],
      }),
    });
    const f = definition({
      name: 'Branch',
      inputs: ['a'],
      outputs: ['b'],
      nodes: [
        node('Constant', [], ['yes'], { value: { kind: 'tensor', value: boolTensor([], [true]) } }),
        node('Exp', ['a'], ['t']),
        node('If', ['yes'], ['b'], { then_branch: branch('Sqrt'), else_branch: branch('Abs') }),
      ],
    });
    await inlinedAlike(
      withFunctions([f], { nodes: [call('Branch', ['x'], ['t']), call('Branch', ['t'], ['y'])] }),
    );
  });

  it('inlines calls that stand inside graphs', async () => {
    const branch: Attribute = {
      kind: 'graph',
      value: graph({ outputs: [value('r', null)], nodes: [call('Shifted', ['x'], ['r'])] }),
    };
    const yes = node('Constant', [], ['yes'], { value: { kind: 'tensor', value: boolTensor([], [true]) } });
    await inlinedAlike(
      withFunctions([shifted], {
        nodes: [yes, node('If', ['yes'], ['y'], { then_branch: branch, else_branch: branch })],
      }),
    );
  });

  it("takes a graph from the caller as an attribute, in the caller's names", () => {
    const f = definition({
      name: 'Cond',
      inputs: ['c', 't'],
      outputs: ['b'],
      attributes: ['body'],
      nodes: [
        node('If', ['c'], ['b'], { then_branch: reference('body', 5), else_branch: reference('body', 5) }),
      ],
    });
    const body: Attribute = {
      kind: 'graph',
      value: graph({ outputs: [value('r')], nodes: [node('Neg', ['t'], ['r'])] }),
    };
    const m = withFunctions([f], {
      inputs: [value('x', [], 'bool'), value('t')],
      nodes: [call('Cond', ['x', 'x'], ['y'], { body })],
    });
    const inner = inlineFunctions(m).graph.nodes[0]!.attributes.get('then_branch') as Extract<
      Attribute,
      { kind: 'graph' }
    >;
    expect(inner.value.nodes[0]!.inputs).toEqual(['t']);
  });

  it('takes absent inputs, unused outputs, and inputs handed through', async () => {
    const f = definition({
      name: 'Parts',
      inputs: ['a', 'low', 'high'],
      outputs: ['clipped', 'same', 'again'],
      nodes: [node('Clip', ['a', 'low', 'high'], ['clipped'])],
    });
    const through = { ...f, outputs: ['clipped', 'a', 'high'] };
    const parts = [
      call('Parts', ['x', '', 'limit'], ['p', 'q', 'r']),
      call('Parts', ['q'], ['unused']),
      node('Sum', ['p', 'q', 'r'], ['y']),
    ];
    const limit = node('Constant', [], ['limit'], {
      value: { kind: 'tensor', value: float32Tensor([], [0.5]) },
    });
    // ONNX Runtime itself does not load a function whose input is left out, so the same is written here without one.
    const plain = [
      node('Clip', ['x', '', 'limit'], ['p']),
      node('Identity', ['x'], ['q']),
      node('Identity', ['limit'], ['r']),
    ];
    const inlined = inlineFunctions(withFunctions([through], { nodes: [limit, ...parts] }));
    const expected = withFunctions([], { nodes: [limit, ...plain, node('Sum', ['p', 'q', 'r'], ['y'])] });
    const inputs = inputsFor(inlined);
    expect(await runInRuntime(inlined, inputs)).toEqual(await runInRuntime(expected, inputs));
    const absent = withFunctions([through], { nodes: [call('Parts', ['x'], ['p', 'q', 'y'])] });
    expect((await refusal(() => inlineFunctions(absent))).message).toContain('which the call leaves out');
  });

  it('refuses functions that call themselves, directly or in a circle', async () => {
    const f = (name: string, calls: string) =>
      definition({ name, inputs: ['a'], outputs: ['b'], nodes: [call(calls, ['a'], ['b'])] });
    const direct = await refusal(() =>
      inlineFunctions(withFunctions([f('F', 'F')], { nodes: [call('F', ['x'], ['y'])] })),
    );
    expect(direct).toEqual({
      code: 'model/invalid',
      message: expect.stringContaining('"local.F" → "local.F"'),
    });
    const circle = withFunctions([f('F', 'G'), f('G', 'F')], { nodes: [call('F', ['x'], ['y'])] });
    expect((await refusal(() => inlineFunctions(circle))).message).toContain(
      '"local.F" → "local.G" → "local.F"',
    );
  });

  it('bounds how far calls may multiply, and how deep they may go', async () => {
    const doubling = Array.from({ length: 40 }, (_, i) =>
      definition({
        name: `F${i}`,
        inputs: ['a'],
        outputs: ['b'],
        nodes:
          i === 39
            ? [node('Relu', ['a'], ['b'])]
            : [call(`F${i + 1}`, ['a'], ['t']), call(`F${i + 1}`, ['t'], ['b'])],
      }),
    );
    const bomb = withFunctions(doubling, { nodes: [call('F0', ['x'], ['y'])] });
    expect(await refusal(() => inlineFunctions(bomb, { limits: { nodes: 50_000 } }))).toEqual({
      code: 'model/too-large',
      message: expect.stringContaining('at most 50000 nodes'),
    });
    const chain = Array.from({ length: 5000 }, (_, i) =>
      definition({ name: `F${i}`, inputs: ['a'], outputs: ['b'], nodes: [call(`F${i + 1}`, ['a'], ['b'])] }),
    );
    const deep = withFunctions(
      [
        ...chain,
        definition({ name: 'F5000', inputs: ['a'], outputs: ['b'], nodes: [node('Relu', ['a'], ['b'])] }),
      ],
      { nodes: [call('F0', ['x'], ['y'])] },
    );
    expect((await refusal(() => inlineFunctions(deep))).message).toContain('at most 256 deep');
  });

  it('refuses another version of the operators that a function uses, and takes on domains of its own', async () => {
    const nodes = [call('F', ['x'], ['y'])];
    const relu = definition({
      name: 'F',
      inputs: ['a'],
      outputs: ['b'],
      nodes: [node('Relu', ['a'], ['b'])],
    });
    const other = await refusal(() =>
      inlineFunctions(withFunctions([{ ...relu, opsets: new Map([['', 15]]) }], { nodes })),
    );
    expect(other).toEqual({
      code: 'model/invalid',
      message: expect.stringContaining('expected ai.onnx version 17 as in the model, got 15'),
    });
    const gelu = definition({
      ...relu,
      nodes: [node('Gelu', ['a'], ['b'], {}, { domain: 'com.microsoft' })],
      opsets: new Map([
        ['', 15],
        ['com.microsoft', 1],
      ]),
    });
    expect(inlineFunctions(withFunctions([gelu], { nodes })).opsets).toEqual(
      new Map([
        ['', 17],
        ['com.microsoft', 1],
      ]),
    );
  });

  it('refuses a call with more inputs or outputs than the function has', async () => {
    for (const bad of [call('Shifted', ['x', 'x'], ['y']), call('Shifted', ['x'], ['y', 'z'])]) {
      expect(await refusal(() => inlineFunctions(withFunctions([shifted], { nodes: [bad] })))).toEqual({
        code: 'model/invalid',
        message: expect.stringContaining('call of function "local.Shifted"'),
      });
    }
  });

  it('hands an opaque attribute through under its new name', () => {
    const f = definition({
      name: 'F',
      inputs: ['a'],
      outputs: ['b'],
      attributes: ['given'],
      nodes: [node('Optional', ['a'], ['b'], { type: reference('given', 13) })],
    });
    // AttributeProto { type: TYPE_PROTO, tp: { tensor_type: { elem_type: 1 } } }
    const given: Attribute = { kind: 'opaque', value: Uint8Array.of(0xa0, 1, 13, 0x72, 4, 0x0a, 2, 8, 1) };
    const inlined = inlineFunctions(
      withFunctions([f], {
        nodes: [{ ...call('F', ['x'], ['y']), attributes: new Map([['given', given]]) }],
      }),
    );
    expect(parseModel(serializeModel(inlined))).toEqual(inlined);
    expect(inlined.graph.nodes[0]!.attributes).toEqual(new Map([['type', given]]));
  });

  it('tells overloads apart', () => {
    const overload = (name: string, op: string) =>
      definition({
        name: 'F',
        overload: name,
        inputs: ['a'],
        outputs: ['b'],
        nodes: [node(op, ['a'], ['b'])],
      });
    const m = withFunctions([overload('', 'Relu'), overload('two', 'Neg')], {
      nodes: [{ ...call('F', ['x'], ['y']), overload: 'two' }],
    });
    expect(inlineFunctions(m).graph.nodes.map((n) => n.op)).toEqual(['Neg']);
  });
});
