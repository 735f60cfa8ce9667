import fc, { type Arbitrary } from 'fast-check';
import { byteLength, DTYPE_CODES, type DType } from './dtype.ts';
import { graph, model } from './model.fixture.ts';
import type { Attribute, Graph, Model, Node, ValueInfo } from './model.ts';
import { elementCount, type Tensor } from './tensor.ts';
import { decodeText } from './text.ts';

const DTYPES = Object.keys(DTYPE_CODES) as DType[];
const float32 = fc.float({ noNaN: false });
const int = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(2 ** 63, -(2 ** 63), 0, 1, -1)).map((x) => x + 0);

/** Text that is valid Unicode. */
export const plainText: Arbitrary<string> = fc.string({ unit: 'binary', maxLength: 8 });

/** Text of any bytes, as a file may hold it. */
export const anyText: Arbitrary<string> = fc.oneof(
  plainText,
  fc.uint8Array({ maxLength: 8 }).map(decodeText),
);

/** Any valid model without functions, whose names, string attributes and string tensors hold `text`. */
export function modelWith(text: Arbitrary<string>): Arbitrary<Model> {
  return fc
    .record({
      graph: graphWith(text, '', [], 2),
      irVersion: fc.integer({ min: 3, max: 13 }),
      opset: fc.integer({ min: 7, max: 26 }),
      producer: text,
      metadata: fc.dictionary(fc.string(), text, { maxKeys: 3 }),
    })
    .map(({ graph: g, irVersion, opset, producer, metadata }) => {
      const opsets = new Map([
        ['', opset],
        ['com.microsoft', 1],
      ]);
      return model(g, { irVersion, producer, opsets, metadata: new Map(Object.entries(metadata)) });
    });
}

/** A tensor of any element type, rank up to 3, zero-size dimensions included. */
function tensorWith(text: Arbitrary<string>): Arbitrary<Tensor> {
  return fc
    .record({ dtype: fc.constantFrom(...DTYPES), dims: fc.array(fc.nat(4), { maxLength: 3 }) })
    .chain(({ dtype, dims }): Arbitrary<Tensor> => {
      const count = elementCount(dims);
      if (dtype === 'string') {
        const strings = fc.array(text, { minLength: count, maxLength: count });
        return strings.map((s) => ({ dtype, dims, data: new Uint8Array(0), strings: s }));
      }
      const bytes = byteLength(dtype, count);
      return fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((data) => ({ dtype, dims, data }));
    });
}

function attributeWith(text: Arbitrary<string>): Arbitrary<Attribute> {
  const tensor = tensorWith(text);
  return fc.oneof(
    float32.map((value): Attribute => ({ kind: 'float', value })),
    int.map((value): Attribute => ({ kind: 'int', value })),
    text.map((value): Attribute => ({ kind: 'string', value })),
    tensor.map((value): Attribute => ({ kind: 'tensor', value })),
    fc.array(float32, { maxLength: 4 }).map((value): Attribute => ({ kind: 'floats', value })),
    fc.array(int, { maxLength: 4 }).map((value): Attribute => ({ kind: 'ints', value })),
    fc.array(text, { maxLength: 3 }).map((value): Attribute => ({ kind: 'strings', value })),
    fc.array(tensor, { maxLength: 2 }).map((value): Attribute => ({ kind: 'tensors', value })),
  );
}

function valueNamed(name: string): Arbitrary<ValueInfo> {
  const dim = fc.oneof(fc.nat(9), fc.constantFrom('N', 'height', null));
  return fc
    .record({
      dtype: fc.constantFrom(...DTYPES),
      dims: fc.option(fc.array(dim, { maxLength: 3 }), { nil: undefined }),
    })
    .map(({ dtype, dims }) => ({ name, type: { kind: 'tensor', dtype, dims } }));
}

/** A chain of nodes over inputs, initializers and `outer` values, with graphs inside while `depth` lasts. */
function graphWith(
  text: Arbitrary<string>,
  prefix: string,
  outer: readonly string[],
  depth: number,
): Arbitrary<Graph> {
  const parts = fc.record({
    inputs: fc.nat(2),
    tensors: fc.array(tensorWith(text), { maxLength: 3 }),
    size: fc.nat(4),
  });
  return parts.chain(({ inputs, tensors, size }) => {
    const inputNames = Array.from({ length: inputs }, (_, i) => `${prefix}in${i}`);
    const initializers = Object.fromEntries(tensors.map((t, i) => [`${prefix}w${i}`, t]));
    const made = [...inputNames, ...Object.keys(initializers)];
    const nodes: Arbitrary<Node>[] = [];
    for (let i = 0; i < size; i++) {
      nodes.push(nodeWith(text, `${prefix}n${i}`, [...outer, ...made], depth));
      made.push(`${prefix}n${i}`);
    }
    return fc
      .record({
        name: text,
        inputs: fc.tuple(...inputNames.map(valueNamed)),
        nodes: fc.tuple(...nodes),
        outputs: fc.tuple(...made.slice(-2).map(valueNamed)),
      })
      .map((rest) =>
        graph({ ...rest, initializers, valueTypes: new Map(rest.inputs.map((v) => [`${v.name}?`, v.type])) }),
      );
  });
}

function nodeWith(
  text: Arbitrary<string>,
  output: string,
  known: readonly string[],
  depth: number,
): Arbitrary<Node> {
  const plain = attributeWith(text);
  const inner = () =>
    graphWith(text, `${output}/`, known, depth - 1).map((value): Attribute => ({ kind: 'graph', value }));
  const attribute =
    depth === 0 ? plain : fc.oneof({ weight: 6, arbitrary: plain }, { weight: 1, arbitrary: inner() });
  return fc
    .record({
      op: fc.constantFrom('Conv', 'Relu', 'If', 'Éclair'),
      domain: fc.constantFrom('', 'com.microsoft'),
      name: text,
      inputs: fc.array(fc.constantFrom('', ...known), { maxLength: 3 }),
      attributes: fc.array(fc.tuple(fc.string({ minLength: 1, maxLength: 5 }), attribute), { maxLength: 3 }),
    })
    .map(({ attributes, ...rest }) => ({ ...rest, outputs: [output], attributes: new Map(attributes) }));
}
