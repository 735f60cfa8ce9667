import { GlacisError } from '../core/error.ts';
import { attributesOf } from '../onnx/attributes.ts';
import type { Model, Node } from '../onnx/model.ts';
import { elementCount, float32Tensor, numbersOf, type Tensor } from '../onnx/tensor.ts';

/** Operators that compute with integers in the place of real numbers, in any domain. */
const QUANTISED =
  /^(Q(Linear|Gemm|Attention|MoE|OrderedM)|DynamicQuantize|Quantize|Dequantize|MatMulInteger|ConvInteger|MatMulNBits|MatMulBnb4)/;

/** Names of the quantised operators of a model, each once. */
export function quantisedOperators({ graph }: Model): readonly string[] {
  return [...new Set(graph.nodes.map(({ op }) => op).filter((op) => QUANTISED.test(op)))];
}

/**
 * The float model that a model quantised in QDQ form stands for: weights are what their integers mean, `(q − zero) · scale`, and activations
 * are no longer rounded. It can be trained; answers differ from the quantised model's by its rounding.
 * Errors: `model/unsupported-operator` for a model that is quantised in another form.
 */
export function floatTwin(model: Model): Model {
  const { graph } = model;
  const initializers = new Map<string, Tensor>(graph.initializers);
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const same = new Map<string, string>();
  const gone = new Set<Node>();
  for (const node of graph.nodes) {
    if (node.op !== 'DequantizeLinear') continue;
    const [from = '', scale = '', zero] = node.inputs;
    const weight = initializers.get(from);
    const maker = makers.get(from);
    if (weight) {
      const real = dequantised(
        node,
        weight,
        initializers.get(scale),
        zero ? initializers.get(zero) : undefined,
      );
      if (!real) continue;
      initializers.set(node.outputs[0]!, real);
    } else if (maker?.op === 'QuantizeLinear') same.set(node.outputs[0]!, maker.inputs[0]!);
    else continue;
    gone.add(node);
  }
  const now = (name: string): string => {
    let at = name;
    while (same.has(at)) at = same.get(at)!;
    return at;
  };
  const kept = graph.nodes
    .filter((node) => !gone.has(node))
    .map((node) => ({ ...node, inputs: node.inputs.map(now) }));
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const isUsed = (node: Node) =>
    node.outputs.some((name) => outputs.has(name) || kept.some(({ inputs }) => inputs.includes(name)));
  const nodes: Node[] = kept.filter((node) => node.op !== 'QuantizeLinear' || isUsed(node));
  // An output that was rounded last gives what was there before.
  for (const name of outputs)
    if (same.has(name))
      nodes.push({
        op: 'Identity',
        domain: '',
        name: `${name}/float`,
        inputs: [now(name)],
        outputs: [name],
        attributes: new Map(),
      });
  const needed = new Set([...nodes.flatMap(({ inputs }) => inputs), ...outputs]);
  const twin: Model = {
    ...model,
    graph: { ...graph, nodes, initializers: new Map([...initializers].filter(([name]) => needed.has(name))) },
  };
  const left = quantisedOperators(twin);
  if (left.length > 0)
    throw new GlacisError(
      'model/unsupported-operator',
      `float twin: expected weights and activations quantised by QuantizeLinear and DequantizeLinear, got ${left.join(', ')}; take the float model that this one was made from`,
    );
  return twin;
}

/** `(q − zero) · scale`, for the whole tensor or along an axis. */
function dequantised(
  node: Node,
  weight: Tensor,
  scale: Tensor | undefined,
  zero: Tensor | undefined,
): Tensor | undefined {
  const attrs = attributesOf(node);
  if (!scale || attrs.int('block_size', 0) !== 0) return undefined;
  const count = elementCount(scale.dims);
  const given = attrs.int('axis', 1);
  const axis = given < 0 ? given + weight.dims.length : given;
  if (count !== 1 && weight.dims[axis] !== count) return undefined;
  const inner = count === 1 ? 1 : elementCount(weight.dims.slice(axis + 1));
  const scales = numbersOf(scale);
  const zeros = zero && numbersOf(zero);
  return float32Tensor(
    weight.dims,
    Float32Array.from(numbersOf(weight), (q, i) => {
      const c = Math.floor(i / inner) % count;
      return (q - (zeros?.[c] ?? 0)) * scales[c]!;
    }),
  );
}
