import { type AttributeInput, attributesFrom } from '../../src/onnx/attributes.ts';
import type { Model, Node } from '../../src/onnx/model.ts';
import { float32Tensor, int64Tensor, type Tensor } from '../../src/onnx/tensor.ts';

/** Writes operators beside those of a model. */
export interface Pen {
  /** Adds a node and gives its outputs' names. */
  all(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeInput>>,
    outputs: number,
  ): string[];
  /** Adds a node of one output and gives that output's name. */
  (op: string, inputs: readonly string[], attributes?: Readonly<Record<string, AttributeInput>>): string;
  /** The name of a constant of 32-bit floats. */
  floats(dims: readonly number[], values: readonly number[]): string;
  /** The name of one number. */
  number(value: number): string;
  /** The name of a constant of integers. */
  ints(values: readonly number[]): string;
}

/** A piece of graph: the name of its result from the name of what it takes. */
export type Piece = (pen: Pen, x: string) => string;

/** The model with `piece` between its only input and all that uses it. */
export function inFront(model: Model, piece: Piece): Model {
  const sheet = sheetFor(model);
  const name = model.graph.inputs[0]!.name;
  const changed = piece(sheet.pen, name);
  const nodes = model.graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((input) => (input === name ? changed : input)),
  }));
  return sheet.onto(model, [...sheet.nodes, ...nodes]);
}

/** The model with `piece` between its only output and the world. */
export function behind(model: Model, piece: Piece): Model {
  const sheet = sheetFor(model);
  const name = model.graph.outputs[0]!.name;
  const plain = `${name}_undefended`;
  const moved = (names: readonly string[]) => names.map((each) => (each === name ? plain : each));
  const nodes = model.graph.nodes.map((node) => ({
    ...node,
    inputs: moved(node.inputs),
    outputs: moved(node.outputs),
  }));
  const last: Node = {
    op: 'Identity',
    domain: '',
    name: `${name}_defended`,
    inputs: [piece(sheet.pen, plain)],
    outputs: [name],
    attributes: new Map(),
  };
  return sheet.onto(model, [...nodes, ...sheet.nodes, last]);
}

/** The model with `piece` behind the first output of every node that `chosen` picks, by operator and number among its kind. */
export function after(
  model: Model,
  op: string,
  piece: Piece,
  chosen: (i: number) => boolean = () => true,
): Model {
  const sheet = sheetFor(model);
  const nodes: Node[] = [];
  const renamed = new Map<string, string>();
  let seen = 0;
  for (const node of model.graph.nodes) {
    nodes.push({ ...node, inputs: node.inputs.map((input) => renamed.get(input) ?? input) });
    if (node.op !== op || !chosen(seen++)) continue;
    const from = node.outputs[0]!;
    sheet.nodes.length = 0;
    renamed.set(from, piece(sheet.pen, from));
    nodes.push(...sheet.nodes);
  }
  if (renamed.size === 0) throw new Error(`${op}: no such node in the model`);
  return sheet.onto(model, nodes);
}

function sheetFor(model: Model) {
  const nodes: Node[] = [];
  const constants = new Map<string, Tensor>();
  const taken = new Set(model.graph.nodes.flatMap((node) => [...node.outputs, node.name]));
  let counter = 0;
  const fresh = () => {
    let name = '';
    do name = `defence_${counter++}`;
    while (taken.has(name) || model.graph.initializers.has(name));
    return name;
  };
  const held = (tensor: Tensor) => {
    const name = fresh();
    constants.set(name, tensor);
    return name;
  };
  const all: Pen['all'] = (op, inputs, attributes, count) => {
    const name = fresh();
    const outputs = Array.from({ length: count }, (_, i) => (i === 0 ? name : `${name}_${i}`));
    nodes.push({
      op,
      domain: '',
      name,
      inputs: [...inputs],
      outputs,
      attributes: attributesFrom(attributes),
    });
    return outputs;
  };
  const pen: Pen = Object.assign(
    (op: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeInput>> = {}) =>
      all(op, inputs, attributes, 1)[0]!,
    {
      all,
      floats: (dims: readonly number[], values: readonly number[]) => held(float32Tensor(dims, values)),
      number: (value: number) => held(float32Tensor([], [value])),
      ints: (values: readonly number[]) => held(int64Tensor([values.length], values)),
    },
  );
  const onto = (from: Model, all: readonly Node[]): Model => ({
    ...from,
    graph: {
      ...from.graph,
      nodes: all,
      initializers: new Map([...from.graph.initializers, ...constants]),
      // What the file says of inner values need not hold behind new nodes.
      valueTypes: new Map(),
    },
  });
  return { pen, nodes, onto };
}
