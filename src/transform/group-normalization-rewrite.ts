import { GlacisError } from '../core/error.ts';
import { attributesFrom } from '../onnx/attributes.ts';
import type { Model, Node } from '../onnx/model.ts';
import { elementCount, float32Tensor, type Tensor } from '../onnx/tensor.ts';
import { draftFor } from './draft.ts';
import { specialise } from './specialise.ts';

/** First opset in which GroupNormalization has a scale a channel. */
const SCALE_A_CHANNEL = 21;
/** Most groups of a layer; Wu and He (2018) take 32. */
const MOST_GROUPS = 32;

/** A model without BatchNormalization. */
export interface Rewritten {
  readonly model: Model;
  /** Names of the layers that were rewritten, in order. */
  readonly layers: readonly string[];
  /** Names of the new scales and shifts, which are to be trained. */
  readonly learned: readonly string[];
}

/**
 * The model with every BatchNormalization as a group normalisation of `gcd(32, channels)` groups (one group where that would leave single
 * numbers) with fresh scales of 1 and shifts of 0: no sample's output depends on other samples any more, which private training needs.
 * From opset 21 on it is GroupNormalization, before an InstanceNormalization of the groups between two reshapes, which all runtimes have.
 * What the network computes changes: it has to be trained afterwards.
 *
 * Errors: `model/unsupported-operator` for an opset before 11; `model/dynamic-shape` where a layer's input has no known shape but for the
 * batch; `model/invalid` for a layer without a constant scale.
 */
export function batchToGroupNormalization(model: Model): Rewritten {
  const isBatch = ({ op, domain }: Node) => op === 'BatchNormalization' && domain === '';
  if (!model.graph.nodes.some(isBatch)) return { model, layers: [], learned: [] };
  const draft = draftFor(model);
  const { values } = specialise(model, { batch: 2 });
  const fresh = new Map<string, Tensor>();
  const layers: string[] = [];
  const learned: string[] = [];
  const opset = model.opsets.get('')!;
  const learn = (hint: string, dims: readonly number[], value: number): string => {
    const name = draft.fresh(hint);
    const size = elementCount(dims);
    fresh.set(name, float32Tensor(dims, new Float32Array(size).fill(value)));
    learned.push(name);
    return name;
  };
  const nodes = model.graph.nodes.flatMap((node): readonly Node[] => {
    if (!isBatch(node)) return [node];
    const where = node.name || node.outputs[0]!;
    const dims = values.get(node.inputs[0]!)?.dims;
    if (!dims || dims.length < 2)
      throw new GlacisError(
        'model/invalid',
        `${where}: expected an input [batch, channels, …], got [${dims?.join(', ') ?? '?'}]`,
      );
    const [, channels, ...space] = dims as [number, number, ...number[]];
    const places = elementCount(space);
    const usual = gcd(MOST_GROUPS, channels);
    const groups = (channels / usual) * places < 2 ? 1 : usual;
    const epsilon = node.attributes.get('epsilon');
    const attributes = new Map(epsilon ? [['epsilon', epsilon] as const] : []);
    const [x, y] = [node.inputs[0]!, node.outputs[0]!];
    layers.push(where);
    const start = draft.nodes.length;
    if (opset >= SCALE_A_CHANNEL) {
      const [scale, shift] = [learn(`${where}/scale`, [channels], 1), learn(`${where}/shift`, [channels], 0)];
      return [
        {
          ...node,
          op: 'GroupNormalization',
          inputs: [x, scale, shift],
          outputs: [y],
          attributes: new Map([...attributes, ...attributesFrom({ num_groups: groups })]),
        },
      ];
    }
    const wide = [channels, ...space.map(() => 1)];
    const [scale, shift] = [learn(`${where}/scale`, wide, 1), learn(`${where}/shift`, wide, 0)];
    const grouped = draft.node('Reshape', [x, draft.ints([-1, groups, (channels / groups) * places])]);
    const instance = draft.node('InstanceNormalization', [
      grouped,
      draft.floats([groups], new Float32Array(groups).fill(1)),
      draft.floats([groups], new Float32Array(groups)),
    ]);
    const back = draft.node('Reshape', [instance, draft.ints([-1, channels, ...space])]);
    const scaled = draft.node('Mul', [back, scale]);
    const written = draft.nodes
      .slice(start)
      .map((each) => (each.op === 'InstanceNormalization' ? { ...each, attributes } : each));
    return [...written, { ...node, op: 'Add', inputs: [scaled, shift], outputs: [y], attributes: new Map() }];
  });
  const written = draft.onto(model, nodes);
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const gone = new Set(model.graph.nodes.filter(isBatch).flatMap(({ inputs }) => inputs.slice(1)));
  const kept = [...written.graph.initializers].filter(([name]) => used.has(name) || !gone.has(name));
  return {
    model: {
      ...written,
      graph: { ...written.graph, initializers: new Map([...kept, ...fresh]) },
    },
    layers,
    learned,
  };
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
