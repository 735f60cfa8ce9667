import { GlacisError } from '../core/error.ts';
import { type AttributeInput, attributesFrom } from '../onnx/attributes.ts';
import type { Attribute, Graph, Model, Node } from '../onnx/model.ts';
import { float32Tensor, int64Tensor, type Tensor } from '../onnx/tensor.ts';
import { allGraphs } from '../onnx/walk.ts';

/**
 * Nodes written beside those of a model whose shapes stay open, so that the result runs on any batch. Values are names; shapes are
 * not inferred. Only operators whose form has not changed since opset 11 may be written, so that they mean the same in every model.
 */
export interface Draft {
  /** Adds a node with one output and gives that output's name. */
  node(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, AttributeInput>>): string;
  /** A constant of 32-bit floats. */
  floats(dims: readonly number[], values: readonly number[] | Float32Array): string;
  /** One number as a constant; equal ones are shared. */
  number(value: number): string;
  /** A constant vector of integers; equal ones are shared. */
  ints(values: readonly number[]): string;
  /** A name that the model does not use. */
  fresh(hint: string): string;
}

/** A draft with what has been written so far. */
export interface OpenDraft extends Draft {
  readonly nodes: readonly Node[];
  /** The model with these nodes (in topological order) instead of its own, and the draft's constants. */
  onto(model: Model, nodes: readonly Node[], graph?: Partial<Pick<Graph, 'outputs'>>): Model;
}

/** Oldest opset in which rounding, padding and clipping have the form that drafts write. */
const OLDEST = 11;

/**
 * An empty draft beside `model`. Errors: `model/unsupported-operator` for a model of an opset before 11.
 */
export function draftFor(model: Model): OpenDraft {
  const opset = model.opsets.get('');
  if (opset === undefined || opset < OLDEST)
    throw new GlacisError(
      'model/unsupported-operator',
      `model: expected opset ${OLDEST} or later to write operators into it, got ${opset ?? 'none'}; export it again with a later opset`,
    );
  const taken = new Set<string>();
  for (const graph of allGraphs(model.graph)) {
    for (const { name } of [...graph.inputs, ...graph.outputs]) taken.add(name);
    for (const name of graph.initializers.keys()) taken.add(name);
    for (const node of graph.nodes) for (const name of [node.name, ...node.outputs]) taken.add(name);
  }
  const nodes: Node[] = [];
  const constants = new Map<string, Tensor>();
  const shared = new Map<string, string>();
  let counter = 0;
  const fresh = (hint: string) => {
    let name = hint;
    while (taken.has(name)) name = `${hint}_${counter++}`;
    taken.add(name);
    return name;
  };
  const held = (tensor: Tensor) => {
    const name = fresh('glacis_constant');
    constants.set(name, tensor);
    return name;
  };
  const once = (key: string, make: () => Tensor) => {
    const known = shared.get(key) ?? held(make());
    shared.set(key, known);
    return known;
  };
  return {
    nodes,
    fresh,
    node(op, inputs, attributes = {}) {
      const name = fresh(`glacis_${op.toLowerCase()}`);
      nodes.push({
        op,
        domain: '',
        name,
        inputs: [...inputs],
        outputs: [name],
        attributes: attributesFrom(attributes),
      });
      return name;
    },
    floats: (dims, values) => held(float32Tensor(dims, values)),
    number: (value) => once(`f ${value}`, () => float32Tensor([], [value])),
    ints: (values) => once(`i ${values.join(' ')}`, () => int64Tensor([values.length], values)),
    onto: (onto, all, graph = {}) => ({
      ...onto,
      // Older versions list constants among the inputs as well.
      irVersion: Math.max(4, onto.irVersion),
      graph: {
        ...onto.graph,
        ...graph,
        nodes: all,
        initializers: new Map([...onto.graph.initializers, ...constants]),
      },
    }),
  };
}

/** The model with `piece` between its input `name` and all that uses it; the input keeps its name, shape and type. */
export function beforeInput(
  model: Model,
  name: string,
  piece: (draft: Draft, input: string) => string,
): Model {
  const draft = draftFor(model);
  const changed = piece(draft, name);
  const nodes = model.graph.nodes.map((node) =>
    usesRenamed(node, (used) => (used === name ? changed : used)),
  );
  return draft.onto(model, [...draft.nodes, ...nodes]);
}

/** The model with `piece` between what makes its output `name` and the world; the output keeps its name, shape and type. */
export function afterOutput(
  model: Model,
  name: string,
  piece: (draft: Draft, output: string) => string,
): Model {
  const draft = draftFor(model);
  if (!model.graph.nodes.some(({ outputs }) => outputs.includes(name)))
    throw new GlacisError('option/invalid', `--output: expected an output that a node makes, got '${name}'`);
  const plain = draft.fresh(`${name}_plain`);
  const rename = (used: string) => (used === name ? plain : used);
  const nodes = model.graph.nodes.map((node) => ({
    ...usesRenamed(node, rename),
    outputs: node.outputs.map(rename),
  }));
  const result = piece(draft, plain);
  const last: Node = {
    op: 'Identity',
    domain: '',
    name: draft.fresh(`to_${name}`),
    inputs: [result],
    outputs: [name],
    attributes: new Map(),
  };
  return draft.onto(model, [...nodes, ...draft.nodes, last]);
}

/** A node that uses values under other names, also in the graphs inside it, unless those define the name themselves. */
export function usesRenamed(node: Node, rename: (name: string) => string): Node {
  const attributes = new Map(
    [...node.attributes].map(([key, attribute]): [string, Attribute] => {
      if (attribute.kind === 'graph')
        return [key, { kind: 'graph', value: inGraph(attribute.value, rename) }];
      if (attribute.kind === 'graphs')
        return [key, { kind: 'graphs', value: attribute.value.map((g) => inGraph(g, rename)) }];
      return [key, attribute];
    }),
  );
  return { ...node, inputs: node.inputs.map((input) => (input === '' ? '' : rename(input))), attributes };
}

function inGraph(graph: Graph, rename: (name: string) => string): Graph {
  const own = new Set([
    ...graph.inputs.map((i) => i.name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap((n) => n.outputs),
  ]);
  const outer = (name: string) => (own.has(name) ? name : rename(name));
  return {
    ...graph,
    nodes: graph.nodes.map((node) => usesRenamed(node, outer)),
    outputs: graph.outputs.map((o) => ({ ...o, name: outer(o.name) })),
  };
}
