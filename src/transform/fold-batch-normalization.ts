import { attributesOf } from '../onnx/attributes.ts';
import type { Model, Node } from '../onnx/model.ts';
import { elementCount, float32Tensor, numbersOf, type Tensor } from '../onnx/tensor.ts';

/** The axis of output channels in the weights of layers that a normalisation folds into. */
const LAYERS: Readonly<Record<string, (node: Node) => number | undefined>> = {
  Conv: () => 0,
  Gemm: (node) => {
    const attrs = attributesOf(node);
    const isPlain = attrs.float('alpha', 1) === 1 && attrs.float('beta', 1) === 1;
    return isPlain ? 1 - attrs.int('transB', 0) : undefined;
  },
};

/**
 * The model with each BatchNormalization that follows a convolution or dense layer folded into that layer: `w' = w s / √(σ² + ε)`,
 * `b' = (b − μ) s / √(σ² + ε) + β`, computed in float64 and rounded once. Left alone: normalisations in training mode, of layers whose
 * output something else needs, too, and of weights that are no float32 constants.
 *
 * Answers agree with the model's up to rounding in float32; nothing else changes.
 */
export function foldBatchNormalization(model: Model): Model {
  const { graph } = model;
  const initializers = new Map<string, Tensor>(graph.initializers);
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const uses = new Map<string, number>();
  for (const name of [...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.map((o) => o.name)])
    uses.set(name, (uses.get(name) ?? 0) + 1);
  const replaced = new Map<Node, Node | null>();
  const free = (hint: string): string => {
    let name = hint;
    for (let i = 1; initializers.has(name) || makers.has(name); i++) name = `${hint}_${i}`;
    return name;
  };
  for (const norm of graph.nodes) {
    if (norm.op !== 'BatchNormalization' || norm.domain !== '') continue;
    const layer = makers.get(norm.inputs[0]!);
    if (!layer || replaced.has(layer) || uses.get(norm.inputs[0]!) !== 1) continue;
    const folded = foldedLayer(layer, norm, (name) => initializers.get(name));
    if (!folded) continue;
    const weight = free(`${layer.inputs[1]}/folded`);
    initializers.set(weight, folded.weight);
    const bias = free(`${layer.inputs[1]}/shift`);
    initializers.set(bias, folded.bias);
    replaced.set(layer, {
      ...layer,
      inputs: [layer.inputs[0]!, weight, bias],
      outputs: [norm.outputs[0]!],
    });
    replaced.set(norm, null);
  }
  if (replaced.size === 0) return model;
  const nodes = graph.nodes.flatMap((node) => {
    const now = replaced.get(node);
    return now === undefined ? [node] : now === null ? [] : [now];
  });
  const needed = new Set([...nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.map((o) => o.name)]);
  // Bodies of loops and branches may name an initializer without an input.
  const isFlat = nodes.every(
    ({ attributes }) => ![...attributes.values()].some((a) => /^graph/.test(a.kind)),
  );
  const kept = isFlat ? new Map([...initializers].filter(([name]) => needed.has(name))) : initializers;
  return { ...model, graph: { ...graph, nodes, initializers: kept } };
}

/** Weights and bias of a layer with the normalisation behind it taken in. */
function foldedLayer(
  layer: Node,
  norm: Node,
  find: (name: string) => Tensor | undefined,
): { readonly weight: Tensor; readonly bias: Tensor } | undefined {
  const attrs = attributesOf(norm);
  if (norm.outputs.slice(1).some((name) => name !== '') || attrs.int('training_mode', 0) !== 0)
    return undefined;
  const axis = layer.domain === '' && Object.hasOwn(LAYERS, layer.op) ? LAYERS[layer.op]!(layer) : undefined;
  if (axis === undefined) return undefined;
  const constant = (name: string | undefined) => {
    const tensor = name ? find(name) : undefined;
    return tensor?.dtype === 'float32' && !tensor.external ? tensor : undefined;
  };
  const weight = constant(layer.inputs[1]);
  const [scale, shift, mean, variance] = norm.inputs.slice(1).map((name) => {
    const tensor = constant(name);
    return tensor && Array.from(numbersOf(tensor));
  });
  const channels = weight?.dims[axis];
  if (!weight || !scale || !shift || !mean || !variance || channels !== scale.length) return undefined;
  const given = layer.inputs[2] ? constant(layer.inputs[2]) : undefined;
  if (layer.inputs[2] && (!given || elementCount(given.dims) !== channels)) return undefined;
  const before = given ? Array.from(numbersOf(given)) : new Array<number>(channels).fill(0);
  const factors = scale.map((s, c) => s / Math.sqrt(variance[c]! + attrs.float('epsilon', 1e-5)));
  const inner = elementCount(weight.dims.slice(axis + 1));
  const values = numbersOf(weight);
  return {
    weight: float32Tensor(
      weight.dims,
      Float32Array.from(values, (w, i) => w * factors[Math.floor(i / inner) % channels]!),
    ),
    bias: float32Tensor(
      [channels],
      before.map((b, c) => (b - mean[c]!) * factors[c]! + shift[c]!),
    ),
  };
}
