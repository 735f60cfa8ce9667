import type { Attribute, FunctionDefinition, Graph, Model, Node, ValueInfo, ValueType } from './model.ts';
import type { Tensor } from './tensor.ts';

/** What is done with a model's parts; every graph, also inside nodes and functions, passes through. */
export interface Mapping {
  readonly tensor?: (tensor: Tensor) => Tensor;
  /** Types of inputs, outputs and inner values. */
  readonly type?: (type: ValueType) => ValueType;
  /** Called with the node's own attributes mapped already. */
  readonly node?: (node: Node) => Node;
}

const same = <T>(part: T): T => part;

/** {@link mapModel} for tensors alone: initializers and attributes. */
export function mapTensors(model: Model, tensor: (tensor: Tensor) => Tensor): Model {
  return mapModel(model, { tensor });
}

/** The model with its parts replaced, in subgraphs and functions too. What does not change is shared with the original. */
export function mapModel(model: Model, mapping: Mapping): Model {
  const all: Required<Mapping> = {
    tensor: mapping.tensor ?? same,
    type: mapping.type ?? same,
    node: mapping.node ?? same,
  };
  const graph = mapGraph(model.graph, all);
  const functions = mapList(model.functions, (f) => mapFunction(f, all));
  return graph === model.graph && functions === model.functions ? model : { ...model, graph, functions };
}

function mapGraph(graph: Graph, all: Required<Mapping>): Graph {
  const value = (info: ValueInfo): ValueInfo => {
    const type = all.type(info.type);
    return type === info.type ? info : { ...info, type };
  };
  const inputs = mapList(graph.inputs, value);
  const outputs = mapList(graph.outputs, value);
  const valueTypes = mapValues(graph.valueTypes, all.type);
  const initializers = mapValues(graph.initializers, all.tensor);
  const nodes = mapList(graph.nodes, (node) => mapNode(node, all));
  const shared =
    inputs === graph.inputs &&
    outputs === graph.outputs &&
    valueTypes === graph.valueTypes &&
    initializers === graph.initializers &&
    nodes === graph.nodes;
  return shared ? graph : { name: graph.name, inputs, outputs, valueTypes, initializers, nodes };
}

function mapFunction(f: FunctionDefinition, all: Required<Mapping>): FunctionDefinition {
  const nodes = mapList(f.nodes, (node) => mapNode(node, all));
  const attributeDefaults = mapValues(f.attributeDefaults, (a) => mapAttribute(a, all));
  return nodes === f.nodes && attributeDefaults === f.attributeDefaults
    ? f
    : { ...f, nodes, attributeDefaults };
}

function mapNode(node: Node, all: Required<Mapping>): Node {
  const attributes = mapValues(node.attributes, (a) => mapAttribute(a, all));
  return all.node(attributes === node.attributes ? node : { ...node, attributes });
}

function mapAttribute(a: Attribute, all: Required<Mapping>): Attribute {
  switch (a.kind) {
    case 'tensor': {
      const value = all.tensor(a.value);
      return value === a.value ? a : { kind: a.kind, value };
    }
    case 'tensors': {
      const value = mapList(a.value, all.tensor);
      return value === a.value ? a : { kind: a.kind, value };
    }
    case 'graph': {
      const value = mapGraph(a.value, all);
      return value === a.value ? a : { kind: a.kind, value };
    }
    case 'graphs': {
      const value = mapList(a.value, (g) => mapGraph(g, all));
      return value === a.value ? a : { kind: a.kind, value };
    }
    default:
      return a;
  }
}

function mapList<T>(list: readonly T[], replace: (item: T) => T): readonly T[] {
  let changed = false;
  const mapped = list.map((item) => {
    const next = replace(item);
    changed ||= next !== item;
    return next;
  });
  return changed ? mapped : list;
}

function mapValues<T>(map: ReadonlyMap<string, T>, replace: (item: T) => T): ReadonlyMap<string, T> {
  let changed: Map<string, T> | undefined;
  for (const [key, value] of map) {
    const next = replace(value);
    if (next === value) continue;
    changed ??= new Map(map);
    changed.set(key, next);
  }
  return changed ?? map;
}
