import { describe, expect, it } from 'vitest';
import { GraphBuilder } from './graph-builder.ts';
import { withoutTrailingBlanks } from './trim-inputs.ts';

describe('withoutTrailingBlanks', () => {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', [2]);
  const model = builder.build({ y: builder.add('Relu', [x])[0]! });
  const withInputs = (inputs: string[]) => {
    const nodes = model.graph.nodes.map((n, i) => (i === 0 ? { ...n, inputs } : n));
    return { ...model, graph: { ...model.graph, nodes } };
  };

  it('drops blank names at the end and keeps those between', () => {
    const trimmed = withoutTrailingBlanks(withInputs(['', 'x', '', '']));
    expect(trimmed.graph.nodes[0]!.inputs).toEqual(['', 'x']);
  });

  it('gives a model without any back as it is', () => {
    expect(withoutTrailingBlanks(model)).toBe(model);
  });
});
