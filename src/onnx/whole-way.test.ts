import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../core/error.ts';
import { modelWith, plainText } from './arbitrary-model.fixture.ts';
import { describeModel } from './describe.ts';
import { inlineFunctions } from './functions.ts';
import { mapTensors } from './map-model.ts';
import { definition, graph, model, node, value } from './model.fixture.ts';
import type { Attribute, Model } from './model.ts';
import { parseModel } from './read.ts';
import { float32Tensor } from './tensor.ts';
import { toFloat32 } from './to-float32.ts';
import { allGraphs } from './walk.ts';
import { serializeModel } from './write.ts';

/** A model with functions in functions, references, defaults and graphs inside, to be damaged. */
const functional: Model = model(
  graph({
    inputs: [value('x')],
    outputs: [value('y')],
    initializers: { c: { dtype: 'bool', dims: [], data: Uint8Array.of(1) } },
    nodes: [
      node('If', ['c'], ['t'], {
        then_branch: {
          kind: 'graph',
          value: graph({
            outputs: [value('r')],
            nodes: [node('F', ['x'], ['r'], { s: { kind: 'float', value: 2 } }, { domain: 'local' })],
          }),
        },
        else_branch: {
          kind: 'graph',
          value: graph({ outputs: [value('q')], nodes: [node('Neg', ['x'], ['q'])] }),
        },
      }),
      node('G', ['t'], ['y'], {}, { domain: 'local' }),
    ],
  }),
  {
    opsets: new Map([
      ['', 17],
      ['local', 1],
    ]),
    functions: [
      definition({
        name: 'F',
        inputs: ['a'],
        outputs: ['b'],
        attributes: ['s'],
        nodes: [node('LeakyRelu', ['a'], ['b'], { alpha: { kind: 'reference', value: 's', type: 1 } })],
      }),
      definition({
        name: 'G',
        inputs: ['a'],
        outputs: ['b'],
        attributeDefaults: new Map<string, Attribute>([
          ['w', { kind: 'tensor', value: float32Tensor([1], [3]) }],
        ]),
        opsets: new Map([
          ['', 17],
          ['local', 1],
        ]),
        nodes: [
          node('Constant', [], ['k'], { value: { kind: 'reference', value: 'w', type: 4 } }),
          node('Mul', ['a', 'k'], ['m']),
          node('F', ['m'], ['b'], {}, { domain: 'local' }),
        ],
      }),
    ],
  },
);

describe('a damaged file on its whole way', () => {
  const change = fc.record({ at: fc.nat(), byte: fc.nat(255) });
  const seeds = fc.oneof(fc.constant(functional), modelWith(plainText));

  it('is refused somewhere or goes through, but breaks nothing', () => {
    let through = 0;
    fc.assert(
      fc.property(seeds, fc.array(change, { maxLength: 3 }), (m, changes) => {
        const bytes = serializeModel(m);
        for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
        try {
          const read = parseModel(bytes);
          JSON.stringify(describeModel(read));
          expect(parseModel(serializeModel(read))).toEqual(read);
          const { model: wide } = toFloat32(inlineFunctions(read), { float16: true });
          expect(parseModel(serializeModel(wide))).toEqual(wide);
          through++;
        } catch (thrown) {
          if (!(thrown instanceof GlacisError)) throw thrown;
        }
      }),
      { numRuns: 1500 },
    );
    expect(through).toBeGreaterThan(200);
  });

  it('goes through undamaged', () => {
    expect(inlineFunctions(functional).functions).toEqual([]);
    expect(parseModel(serializeModel(functional))).toEqual(functional);
  });
});

describe('walking and mapping', () => {
  it('reaches the defaults of functions and the graphs inside nodes', () => {
    const seen: (readonly number[])[] = [];
    const same = mapTensors(functional, (tensor) => {
      seen.push(tensor.dims);
      return tensor;
    });
    expect(same).toBe(functional);
    expect(seen).toEqual([[], [1]]);
    const changed = mapTensors(functional, (tensor) => ({ ...tensor }));
    expect(changed).toEqual(functional);
    expect(changed).not.toBe(functional);
    expect([...allGraphs(functional.graph)]).toHaveLength(3);
  });
});
