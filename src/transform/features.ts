import { attributesOf } from '../onnx/attributes.ts';
import type { Graph, Model, Node, ValueInfo } from '../onnx/model.ts';
import type { Tensor } from '../onnx/tensor.ts';

/** A model that gives its features as well. */
export interface WithFeatures {
  readonly model: Model;
  /** Name of the further output, `[batch, length]` where the last layer sees one row a sample. */
  readonly output: string;
  /** Features in a row. */
  readonly length: number;
}

/** Operators that may stand between the last linear layer and the output: they change shape, scale or shift, or turn logits into probabilities. */
const PASSING = new Set([
  'Identity',
  'Cast',
  'Squeeze',
  'Unsqueeze',
  'Reshape',
  'Flatten',
  'Softmax',
  'LogSoftmax',
  'Sigmoid',
  'Add',
  'Sub',
  'Mul',
  'Div',
]);

/** More nodes than these between the last layer and the output belong to something else. */
const FARTHEST = 12;

/**
 * The model with what its last linear layer (`Gemm`, or `MatMul` with a constant) sees before `output` as one more output, behind all others. Nothing else
 * changes: the answers are the same, bit by bit. `undefined` where no such layer is found, as in a network that ends in a convolution.
 */
export function withFeatures(model: Model, output: string): WithFeatures | undefined {
  const { graph } = model;
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const constantOf = (name: string): Tensor | undefined => {
    const held = graph.initializers.get(name);
    if (held) return held;
    const maker = makers.get(name);
    const given = maker?.op === 'Constant' ? maker.attributes.get('value') : undefined;
    return given?.kind === 'tensor' ? given.value : undefined;
  };
  let at = makers.get(output);
  for (let depth = 0; at && depth < FARTHEST; depth++) {
    const found = linear(at, constantOf);
    if (found) return exposed(model, found.features, found.length);
    if (at.domain !== '' || !PASSING.has(at.op)) return undefined;
    // Of a shift or scale, the side that is computed.
    const next: string | undefined = at.inputs.find((name) => name !== '' && constantOf(name) === undefined);
    at = next === undefined ? undefined : makers.get(next);
  }
  return undefined;
}

/** What a linear layer sees, if the node is one. */
function linear(
  node: Node,
  constantOf: (name: string) => Tensor | undefined,
): { readonly features: string; readonly length: number } | undefined {
  if (node.domain !== '' || (node.op !== 'Gemm' && node.op !== 'MatMul')) return undefined;
  const weight = constantOf(node.inputs[1] ?? '');
  if (weight?.dims.length !== 2 || constantOf(node.inputs[0]!) !== undefined) return undefined;
  const attributes = attributesOf(node);
  if (node.op === 'Gemm' && attributes.int('transA', 0) !== 0) return undefined;
  const across = node.op === 'Gemm' && attributes.int('transB', 0) !== 0 ? 1 : 0;
  return { features: node.inputs[0]!, length: weight.dims[across]! };
}

function exposed(model: Model, features: string, length: number): WithFeatures {
  const { graph } = model;
  const taken = namesIn(graph);
  let name = 'glacis_features';
  for (let i = 1; taken.has(name); i++) name = `glacis_features_${i}`;
  // A node of its own: what is seen may be an input, or an output already.
  const node: Node = {
    op: 'Identity',
    domain: '',
    name,
    inputs: [features],
    outputs: [name],
    attributes: new Map(),
  };
  const info: ValueInfo = { name, type: { kind: 'tensor', dtype: 'float32', dims: undefined } };
  return {
    model: {
      ...model,
      graph: { ...graph, nodes: [...graph.nodes, node], outputs: [...graph.outputs, info] },
    },
    output: name,
    length,
  };
}

function namesIn(graph: Graph): ReadonlySet<string> {
  return new Set([
    ...graph.inputs.map(({ name }) => name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap((node) => [node.name, ...node.outputs]),
  ]);
}
