import { GlacisError } from '../../core/error.ts';
import { attributesFrom } from '../../onnx/attributes.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import type { Model, Node } from '../../onnx/model.ts';
import { findLogits } from '../../transform/logits.ts';
import { specialise, type Trace, writeAgain } from '../../transform/specialise.ts';
import type { ForwardOptions } from '../objective/objective.ts';
import { heldOrder } from './held-order.ts';

/** A dropout layer in training: a mask of 0 and `1 / (1 − rate)` for each of its elements. */
export interface Mask {
  readonly input: Value;
  readonly rate: number;
}

/** Running statistics that batches change: what they are before a step, by the initializer's name, and after. */
export interface Statistic {
  readonly name: string;
  readonly before: Value;
  readonly after: Value;
}

/** A network whose weights are inputs of a graph, to be run on several points of it. */
export interface Network {
  readonly trace: Trace;
  readonly x: Value;
  /** In the order of the parameters asked for. */
  readonly weights: readonly { readonly name: string; readonly value: Value }[];
  forward(x: Value, how?: ForwardOptions): Value;
  /** What the nodes of the model give for `x` in training, by name, in the model's order. */
  layers(x: Value): ReadonlyMap<string, Value>;
  /** Of the batches that went forward in training so far. */
  statistics(): readonly Statistic[];
  /** Of the dropout layers, once something went forward in training. */
  masks(): readonly Mask[];
}

/**
 * Opens `model` for `rows` samples with the initializers `parameters` as inputs of the graph. In training, BatchNormalization takes the
 * statistics of the batch and moves its running ones towards them, and Dropout drops (masks are inputs, so that the same seed gives
 * the same run); as deployed, both are as the file says.
 * Errors: those of `specialise` and `findLogits`; `model/unsupported-task` for several inputs or outputs without a row a sample.
 */
export function openNetwork(model: Model, parameters: readonly string[], rows: number): Network {
  const running = runningStatistics(model);
  const trace = specialise(model, {
    batch: rows,
    parameters: [...parameters, ...running.keys()],
    parameterOrder: heldOrder,
  });
  const { b } = trace;
  const [[input, x] = [], ...more] = trace.inputs;
  if (!input || !x || more.length > 0)
    throw new GlacisError(
      'model/unsupported-task',
      `training: expected a model with one input, got ${trace.inputs.size}`,
    );
  const training = trainingForm(model, running);
  const masks = new Map<string, Mask>();
  const drop = () => {
    for (const { name, output, rate } of training.drops)
      if (!masks.has(name))
        masks.set(name, { input: b.builder.input(name, 'float32', trace.values.get(output)!.dims), rate });
    return masks;
  };
  const latest = new Map([...running.keys()].map((name) => [name, trace.parameters.get(name)!]));
  const write = (point: Value, { as = 'training', weights }: ForwardOptions = {}) => {
    const others = new Map<string, Value>(as === 'training' ? latest : []);
    for (const [i, name] of parameters.entries()) {
      const moved = weights?.[i];
      if (moved) others.set(name, b.transpose(moved, backOrder(moved.dims)));
    }
    const inputs = new Map<string, Value>([[input, point]]);
    if (as === 'training') for (const [name, mask] of drop()) inputs.set(name, mask.input);
    return writeAgain(trace, as === 'training' ? training.model : model, inputs, others);
  };
  const forward = (point: Value, how: ForwardOptions = {}): Value => {
    const { outputs, values } = write(point, how);
    if (how.as !== 'deployed') for (const [name, after] of running) latest.set(name, values.get(after)!);
    const { logits, output } = findLogits({ b, outputs });
    if (logits.dims.length !== 2 || logits.dims[0] !== rows)
      throw new GlacisError(
        'model/unsupported-task',
        `output ${output}: expected [${rows}, outputs], got [${logits.dims.join(', ')}]`,
      );
    return logits;
  };
  return {
    trace,
    x,
    weights: parameters.map((name) => ({ name, value: trace.parameters.get(name)! })),
    forward,
    layers(point) {
      const { values } = write(point);
      const named = training.model.graph.nodes.flatMap(({ outputs }) =>
        outputs.filter((name) => name !== ''),
      );
      return new Map(named.flatMap((name) => (values.has(name) ? [[name, values.get(name)!] as const] : [])));
    },
    statistics: () =>
      [...latest].map(([name, after]) => ({ name, before: trace.parameters.get(name)!, after })),
    masks: () => [...masks.values()],
  };
}

function backOrder(dims: readonly number[]): readonly number[] {
  const order = heldOrder(dims);
  return dims.map((_, axis) => order.indexOf(axis));
}

/** Initializers that hold running statistics, with the name that the batch's new ones get in {@link trainingForm}. */
function runningStatistics(model: Model): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { op, domain, inputs } of model.graph.nodes) {
    if (op !== 'BatchNormalization' || domain !== '') continue;
    for (const name of inputs.slice(3, 5))
      if (model.graph.initializers.has(name)) found.set(name, `${name}/moved`);
  }
  return found;
}

/** The model with batch statistics and dropout at work. */
function trainingForm(model: Model, running: ReadonlyMap<string, string>) {
  const drops: { readonly name: string; readonly output: string; readonly rate: number }[] = [];
  const nodes = model.graph.nodes.map((node): Node => {
    if (node.domain !== '') return node;
    if (node.op === 'BatchNormalization') {
      const [mean, variance] = node.inputs.slice(3, 5).map((name) => running.get(name));
      if (!mean || !variance) return node;
      const attributes = new Map([...node.attributes, ...attributesFrom({ training_mode: 1 })]);
      return { ...node, attributes, outputs: [node.outputs[0]!, mean, variance] };
    }
    const rate = dropRate(model, node);
    if (!(rate > 0)) return node;
    const name = `${node.outputs[0]}/mask`;
    drops.push({ name, output: node.outputs[0]!, rate });
    return {
      ...node,
      op: 'Mul',
      inputs: [node.inputs[0]!, name],
      attributes: new Map(),
      outputs: [node.outputs[0]!],
    };
  });
  return { model: { ...model, graph: { ...model.graph, nodes } }, drops };
}

/** How often a Dropout node drops an element in training; 0 for other nodes. */
function dropRate(model: Model, node: Node): number {
  if (node.op !== 'Dropout') return 0;
  const given = node.inputs[1] ? model.graph.initializers.get(node.inputs[1]) : undefined;
  if (given && given.dtype === 'float32')
    return new DataView(given.data.buffer, given.data.byteOffset).getFloat32(0, true);
  const old = node.attributes.get('ratio');
  return old?.kind === 'float' ? old.value : 0.5;
}
