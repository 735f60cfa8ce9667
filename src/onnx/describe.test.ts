import { describe, expect, it } from 'vitest';
import { describeModel } from './describe.ts';
import { definition, graph, model, node, value } from './model.fixture.ts';
import type { Attribute } from './model.ts';
import { float32Tensor, int64Tensor, type Tensor } from './tensor.ts';

describe('describeModel', () => {
  it('counts operators, parameters and bytes, inner graphs included', () => {
    const outside: Tensor = {
      dtype: 'float16',
      dims: [10],
      data: new Uint8Array(0),
      external: { location: 'w.bin', offset: 0, length: undefined },
    };
    const branch: Attribute = {
      kind: 'graph',
      value: graph({ initializers: { v: int64Tensor([2], [1, 2]) }, nodes: [node('Relu', ['x'], ['r'])] }),
    };
    const words: Tensor = { dtype: 'string', dims: [2], data: new Uint8Array(0), strings: ['é', 'ab'] };
    const m = model(
      graph({
        inputs: [
          value('x', ['N', 3, null]),
          { name: 's', type: { kind: 'other', description: 'sequence', proto: undefined } },
        ],
        outputs: [value('y', null, 'int64')],
        initializers: { w: float32Tensor([2, 3], [1, 2, 3, 4, 5, 6]), outside },
        nodes: [
          node('Relu', ['x'], ['a']),
          node('If', ['c'], ['b'], { then_branch: branch, else_branch: branch }),
          node('F', ['b'], ['y'], {}, { domain: 'local' }),
          node('Constant', [], ['k'], { value: { kind: 'tensor', value: words } }),
        ],
      }),
      {
        functions: [
          definition({ name: 'F', nodes: [node('Gelu', ['a'], ['b'], {}, { domain: 'com.microsoft' })] }),
        ],
        metadata: new Map([['__proto__', 'kept']]),
      },
    );
    const described = describeModel(m);
    expect(JSON.parse(JSON.stringify(described))).toEqual(described);
    expect(described).toMatchObject({
      schema: 'glacis.model/1',
      opsets: { 'ai.onnx': 17 },
      inputs: [
        { name: 'x', type: 'float32', dims: ['N', 3, null] },
        { name: 's', type: 'sequence', dims: null },
      ],
      outputs: [{ name: 'y', type: 'int64', dims: null }],
      nodes: 7,
      subgraphs: 2,
      functions: ['local.F'],
      parameters: 6 + 10 + 2 + 2,
      bytes: {
        embedded: 24 + 32 + 4,
        external: 20,
        byType: { float32: 24, float16: 20, int64: 32, string: 4 },
      },
      externalFiles: ['w.bin'],
    });
    expect(described.operators[0]).toEqual({ domain: 'ai.onnx', op: 'Relu', count: 3 });
    expect(described.operators).toContainEqual({ domain: 'com.microsoft', op: 'Gelu', count: 1 });
    expect(Object.entries(described.metadata)).toEqual([['__proto__', 'kept']]);
  });
});
