import { attributesOf } from '../onnx/attributes.ts';
import type { Model, Node } from '../onnx/model.ts';
import { elementCount, type Tensor } from '../onnx/tensor.ts';
import { trainableParameters } from './parameters.ts';
import { constantWeight, drawnWeight } from './recipes/draw.ts';
import { LINEAR, RECTIFIED } from './recipes/layers.ts';

/** What a learned input of an operator starts as: a constant, or a draw of this variance. */
type Start = { readonly value: number } | { readonly variance: number };

/** Operators between a layer and its activation that leave the scale of values alone. */
const PASSED: ReadonlySet<string> = new Set([
  'Add',
  'AveragePool',
  'BatchNormalization',
  'Dropout',
  'Flatten',
  'GroupNormalization',
  'Identity',
  'InstanceNormalization',
  'MaxPool',
  'Reshape',
]);

/** Activations that halve the second moment, or nearly. */
const RECTIFIERS: ReadonlySet<string> = new Set(['Elu', 'Gelu', 'LeakyRelu', 'PRelu', 'Relu', 'Selu']);

/** Variance of a learned array that is added and is no bias, such as positions of tokens. */
const ADDED = 0.02 ** 2;

/**
 * The model with its weights as before any training, for training from scratch. Convolutions and products are drawn uniformly with variance
 * `2 / fan-in` where a rectifier follows (He et al. 2015) and `1 / fan-in` elsewhere; recurrent layers uniformly in ±1/√hidden; biases are 0,
 * scales 1, PRelu's slopes 0.25; running statistics of BatchNormalization are those of standard normal values. Other initializers stay.
 *
 * A weight's draw depends on seed and name only. Same seed, same bytes on every machine.
 */
export function reinitialise(model: Model, seed: number): Model {
  const { initializers, nodes } = model.graph;
  const learned = new Set(trainableParameters(model));
  const followers = followersOf(nodes);
  const fresh = new Map<string, Tensor>(initializers);
  const done = new Set<string>();
  for (const node of nodes) {
    if (node.domain !== '') continue;
    for (const [i, name] of node.inputs.entries()) {
      const tensor = initializers.get(name);
      const isStatistic = node.op === 'BatchNormalization' && i >= 3;
      if (!tensor || done.has(name) || tensor.dtype !== 'float32' || !(learned.has(name) || isStatistic))
        continue;
      const start = startOf(node, i, tensor.dims, () => leadsToRectifier(node, followers));
      if (!start) continue;
      done.add(name);
      fresh.set(
        name,
        'value' in start
          ? constantWeight(tensor.dims, start.value)
          : drawnWeight(seed, name, tensor.dims, start.variance),
      );
    }
  }
  return { ...model, graph: { ...model.graph, initializers: fresh } };
}

function startOf(
  node: Node,
  i: number,
  dims: readonly number[],
  isRectified: () => boolean,
): Start | undefined {
  const attrs = attributesOf(node);
  const drawn = (fanIn: number): Start => ({
    variance: (isRectified() ? RECTIFIED : LINEAR) / Math.max(1, fanIn),
  });
  switch (node.op) {
    case 'Conv':
      return i === 1 ? drawn(elementCount(dims.slice(1))) : { value: 0 };
    case 'ConvTranspose': {
      if (i !== 1) return { value: 0 };
      // An output element sees the taps of one phase of the stride, of the input channels of its group.
      const taps = elementCount(dims.slice(2)) / elementCount(attrs.ints('strides', []));
      return drawn((dims[0]! / attrs.int('group', 1)) * taps);
    }
    case 'Gemm':
      return i === 1 ? drawn(dims[attrs.int('transB', 0)]!) : { value: 0 };
    case 'MatMul':
      return drawn(i === 1 ? (dims.at(-2) ?? dims[0]!) : dims.at(-1)!);
    case 'BatchNormalization':
      return { value: i === 1 || i === 4 ? 1 : 0 };
    case 'GroupNormalization':
    case 'InstanceNormalization':
    case 'LayerNormalization':
    case 'RMSNormalization':
      return { value: i === 1 ? 1 : 0 };
    case 'PRelu':
      return { value: 0.25 };
    case 'GRU':
    case 'LSTM':
    case 'RNN':
      return i <= 2 ? { variance: 1 / (3 * attrs.int('hidden_size')) } : { value: 0 };
    case 'Add':
      return dims.filter((d) => d > 1).length > 1 ? { variance: ADDED } : { value: 0 };
    default:
      return undefined;
  }
}

function followersOf(nodes: readonly Node[]): ReadonlyMap<string, readonly Node[]> {
  const followers = new Map<string, Node[]>();
  for (const node of nodes)
    for (const name of node.inputs) followers.set(name, [...(followers.get(name) ?? []), node]);
  return followers;
}

/** Whether what a node gives goes into a rectifier with nothing that rescales it in between. */
function leadsToRectifier(node: Node, followers: ReadonlyMap<string, readonly Node[]>): boolean {
  let at = node;
  // A chain is no longer than its graph; walked in a loop, because graphs may be deep.
  for (;;) {
    const next = followers.get(at.outputs[0]!) ?? [];
    if (next.length !== 1) return false;
    at = next[0]!;
    if (RECTIFIERS.has(at.op)) return true;
    if (!PASSED.has(at.op)) return false;
  }
}
