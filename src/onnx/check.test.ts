import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sortAndCheck } from './check.ts';
import { definition, graph, model, node, reluModel, value } from './model.fixture.ts';
import type { Attribute, Model, Node } from './model.ts';
import { Problems } from './problems.ts';
import { float32Tensor } from './tensor.ts';

/** What is wrong with a model, as one text; empty when nothing is. */
function complaints(m: Model): string {
  const problems = new Problems();
  sortAndCheck(m, problems);
  try {
    problems.throwIfAny('model');
    return '';
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

const withNodes = (...nodes: Node[]): Model =>
  model(graph({ inputs: [value('x')], outputs: [value('y')], nodes }));

describe('sortAndCheck', () => {
  it('leaves a model in order as it is', () => {
    const m = reluModel();
    expect(sortAndCheck(m, new Problems())).toBe(m);
    expect(complaints(m)).toBe('');
  });

  it('sorts nodes in any order so that each comes after what it uses', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.infiniteStream(fc.nat()), (n, draws) => {
        const draw = () => draws.next().value as number;
        const nodes = Array.from({ length: n }, (_, i) =>
          node('Add', [i === 0 ? 'x' : `v${draw() % i}`, i === 0 ? 'x' : `v${draw() % i}`], [`v${i}`]),
        );
        const shuffled = nodes
          .map((v) => ({ v, key: draw() }))
          .sort((a, b) => a.key - b.key)
          .map(({ v }) => v);
        const problems = new Problems();
        const sorted = sortAndCheck(model(graph({ inputs: [value('x')], nodes: shuffled })), problems).graph
          .nodes;
        expect(problems.count).toBe(0);
        expect(new Set(sorted)).toEqual(new Set(shuffled));
        const known = new Set(['x']);
        for (const { inputs, outputs } of sorted) {
          for (const name of inputs) expect(known).toContain(name);
          known.add(outputs[0]!);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('counts what a graph inside a node takes from outside as used by that node', () => {
    const branch: Attribute = { kind: 'graph', value: graph({ outputs: [value('late')] }) };
    const sorted = sortAndCheck(
      withNodes(node('If', ['x'], ['y'], { then_branch: branch }), node('Relu', ['x'], ['late'])),
      new Problems(),
    );
    expect(sorted.graph.nodes.map((n) => n.op)).toEqual(['Relu', 'If']);
  });

  it('names the nodes of a cycle', () => {
    const text = complaints(
      withNodes(
        node('Add', ['x', 'c'], ['a'], {}, { name: 'first' }),
        node('Relu', ['a'], ['b']),
        node('Neg', ['b'], ['c']),
        node('Abs', ['c'], ['y']),
      ),
    );
    expect(text).toContain('form a cycle');
    for (const part of ['Add "first"', 'Relu "b"', 'Neg "c"']) expect(text).toContain(part);
    expect(text).not.toContain('Abs');
  });

  it('names a node that feeds itself', () => {
    expect(complaints(withNodes(node('Relu', ['y'], ['y'])))).toContain('Relu "y" → Relu "y"');
  });

  it('finds a cycle of 200,000 nodes without exhausting the stack', () => {
    const nodes = Array.from({ length: 200_000 }, (_, i) =>
      node('Relu', [`v${(i + 1) % 200_000}`], [`v${i}`]),
    );
    expect(complaints(model(graph({ nodes })))).toContain('form a cycle');
  });

  it('refuses a value that is defined twice', () => {
    expect(complaints(withNodes(node('Relu', ['x'], ['y']), node('Neg', ['x'], ['y'])))).toContain(
      'defines "y", which is defined already',
    );
    expect(complaints(withNodes(node('Relu', ['x'], ['x', 'y'])))).toContain('defines "x"');
    const w = float32Tensor([1], [0]);
    expect(complaints(model(graph({ initializers: { w }, nodes: [node('Relu', ['w'], ['w'])] })))).toContain(
      'defines "w"',
    );
    expect(complaints(model(graph({ inputs: [value('x'), value('x')] })))).toContain(
      'input "x" is there twice',
    );
    expect(complaints(model(graph({ inputs: [value('x')], outputs: [value('x'), value('x')] })))).toContain(
      'output "x" is there twice',
    );
  });

  it('names what is used but never defined, also in inner graphs and functions', () => {
    expect(complaints(withNodes(node('Relu', ['ghost'], ['y'], {}, { name: 'n' })))).toContain(
      'node 0 (Relu "n"): uses "ghost", which no',
    );
    expect(complaints(withNodes())).toContain('its outputs: uses "y"');
    const branch: Attribute = { kind: 'graph', value: graph({ nodes: [node('Neg', ['ghost'], ['z'])] }) };
    expect(complaints(withNodes(node('If', ['x'], ['y'], { then_branch: branch })))).toContain(
      'then_branch: node 0 (Neg): uses "ghost"',
    );
    const f = definition({ name: 'F', inputs: ['a'], outputs: ['b'], nodes: [node('Relu', ['x'], ['b'])] });
    expect(complaints({ ...reluModel(), functions: [f] })).toContain(
      'function "local.F": node 0 (Relu): uses "x"',
    );
  });

  it('does not let an inner value be seen outside', () => {
    const branch: Attribute = { kind: 'graph', value: graph({ nodes: [node('Neg', ['x'], ['inner'])] }) };
    expect(
      complaints(
        withNodes(node('If', ['x'], ['h'], { then_branch: branch }), node('Relu', ['inner'], ['y'])),
      ),
    ).toContain('uses "inner"');
  });

  it('says which opsets and file versions are supported', () => {
    expect(complaints({ ...reluModel(), opsets: new Map() })).toContain(
      'ai.onnx is missing; supported are 7 to 26',
    );
    for (const opset of [0, -1, 6, 27])
      expect(complaints({ ...reluModel(), opsets: new Map([['', opset]]) })).toContain(
        `expected ai.onnx 7 to 26, got ${opset}`,
      );
    for (const opset of [7, 26])
      expect(complaints({ ...reluModel(), opsets: new Map([['', opset]]) })).toBe('');
    expect(complaints({ ...reluModel(), irVersion: 2 })).toContain('IR version: expected 3 to');
    expect(complaints({ ...reluModel(), irVersion: 99 })).toContain('IR version');
  });

  it('refuses a domain that is not imported, and functions defined twice', () => {
    expect(complaints(withNodes(node('Gelu', ['x'], ['y'], {}, { domain: 'com.microsoft' })))).toContain(
      'its domain "com.microsoft" is not among',
    );
    const f = definition({ name: 'F' });
    expect(complaints({ ...reluModel(), functions: [f, f] })).toContain('function "local.F": is there twice');
  });
});
