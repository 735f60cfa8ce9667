import { describe, expect, it } from 'vitest';
import { DTYPE_CODES } from './dtype.ts';
import { definition, graph, model, node, refusal, reluModel, value } from './model.fixture.ts';
import type { Attribute, Model } from './model.ts';
import { inputsFor, runInRuntime } from './ort.fixture.ts';
import { parseModel } from './read.ts';
import { numbersOf, type Tensor, tensorFrom } from './tensor.ts';
import { toFloat32 } from './to-float32.ts';
import { serializeModel } from './write.ts';

const int = (n: number): Attribute => ({ kind: 'int', value: n });
const tensorAttribute = (t: Tensor): Attribute => ({ kind: 'tensor', value: t });
const w = tensorFrom('bfloat16', [2], [1.5, -3]);

describe('toFloat32', () => {
  it('leaves a model without 16-bit floats as it is, and float16 unless it is asked', () => {
    const m = reluModel();
    expect(toFloat32(m)).toEqual({ model: m, notes: [] });
    expect(toFloat32(m).model).toBe(m);
    const half = model(graph({ initializers: { h: tensorFrom('float16', [1], [0.5]) } }));
    expect(toFloat32(half).model).toBe(half);
    expect(toFloat32(half, { float16: true }).model.graph.initializers.get('h')!.dtype).toBe('float32');
  });

  it('rewrites inputs, outputs and inner types, and says what they were', () => {
    const m = model(
      graph({
        inputs: [value('x', ['N', 2], 'bfloat16'), value('i', [1], 'int64')],
        outputs: [value('y', ['N', 2], 'bfloat16')],
        nodes: [node('Relu', ['x'], ['h']), node('Neg', ['h'], ['y'])],
        valueTypes: new Map([['h', value('h', [2], 'bfloat16').type]]),
      }),
    );
    const { model: wide, notes } = toFloat32(m);
    expect(notes).toEqual([
      { name: 'x', role: 'input', was: 'bfloat16' },
      { name: 'y', role: 'output', was: 'bfloat16' },
    ]);
    expect(wide.graph.inputs).toEqual([value('x', ['N', 2]), value('i', [1], 'int64')]);
    expect(wide.graph.outputs).toEqual([value('y', ['N', 2])]);
    expect(wide.graph.valueTypes.get('h')).toEqual(value('h', [2]).type);
  });

  it('keeps the values of initializers and constants', () => {
    const m = model(
      graph({
        initializers: { a: w, b: w, c: { ...w } },
        nodes: [node('Constant', [], ['k'], { value: tensorAttribute(w) })],
      }),
    );
    const { graph: g } = toFloat32(m).model;
    expect([...numbersOf(g.initializers.get('a')!)]).toEqual([1.5, -3]);
    expect(g.initializers.get('b')).toBe(g.initializers.get('a'));
    expect(g.nodes[0]!.attributes.get('value')).toEqual(tensorAttribute(g.initializers.get('a')!));
  });

  it('runs in ONNX Runtime where the original does not, and computes the same', async () => {
    // y = Cast(Cast(x → bf16) · w + fill → float32), with w in bfloat16.
    const build = (narrow: boolean): Model => {
      const dtype = narrow ? 'bfloat16' : 'float32';
      const branch: Attribute = {
        kind: 'graph',
        value: graph({
          outputs: [value('r', null, dtype)],
          nodes: [node('Cast', ['x'], ['r'], { to: int(DTYPE_CODES[dtype]) })],
        }),
      };
      return model(
        graph({
          inputs: [value('x')],
          outputs: [value('y')],
          initializers: {
            w: tensorFrom(dtype, [2], [1.5, -3]),
            yes: tensorFrom('bool', [], [1]),
            shape: tensorFrom('int64', [1], [2]),
          },
          nodes: [
            node('If', ['yes'], ['b'], { then_branch: branch, else_branch: branch }),
            node('Mul', ['b', 'w'], ['m']),
            node('ConstantOfShape', ['shape'], ['fill'], {
              value: tensorAttribute(tensorFrom(dtype, [1], [2])),
            }),
            node('Add', ['m', 'fill'], ['s']),
            node('Cast', ['s'], ['y'], { to: int(DTYPE_CODES.float32) }),
          ],
        }),
      );
    };
    const narrow = build(true);
    const { model: wide, notes } = toFloat32(parseModel(serializeModel(narrow)));
    expect(notes).toEqual([]);
    const inputs = inputsFor(wide);
    await expect(runInRuntime(narrow, inputs)).rejects.toThrow();
    expect(await runInRuntime(wide, inputs)).toEqual(await runInRuntime(build(false), inputs));
  });

  it('rewrites casts and generated types that come through functions', () => {
    const f = definition({
      name: 'To',
      inputs: ['a'],
      outputs: ['b'],
      attributes: ['kind'],
      nodes: [node('Cast', ['a'], ['b'], { to: { kind: 'reference', value: 'kind', type: 2 } })],
    });
    const m = model(
      graph({
        inputs: [value('x')],
        outputs: [value('y')],
        nodes: [node('To', ['x'], ['y'], { kind: int(16) }, { domain: 'local' })],
      }),
      {
        opsets: new Map([
          ['', 17],
          ['local', 1],
        ]),
        functions: [f],
      },
    );
    expect(toFloat32(m).model.graph.nodes[0]!.attributes.get('to')).toEqual(int(1));
  });

  it('does not touch other integers that happen to be the same number', () => {
    const m = model(
      graph({ initializers: { w }, nodes: [node('Flatten', ['w'], ['y'], { axis: int(16) })] }),
    );
    expect(toFloat32(m).model.graph.nodes[0]!.attributes.get('axis')).toEqual(int(16));
  });

  it('refuses what it cannot rewrite', async () => {
    const bits = model(
      graph({ initializers: { w }, nodes: [node('BitCast', ['w'], ['y'], { to: int(DTYPE_CODES.int16) })] }),
    );
    expect((await refusal(() => toFloat32(bits))).code).toBe('model/unsupported-operator');
    const outside: Tensor = {
      ...w,
      data: new Uint8Array(0),
      external: { location: 'w.bin', offset: 0, length: undefined },
    };
    expect((await refusal(() => toFloat32(model(graph({ initializers: { outside } }))))).code).toBe(
      'model/external-data',
    );
  });
});
