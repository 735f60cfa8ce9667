import type { Attribute, FunctionDefinition, Graph, Model, Node } from './model.ts';
import type { Tensor } from './tensor.ts';

/** What is done with a graph's parts; every graph, also inside nodes and functions, passes through. */
interface Visitor {
  readonly tensor: (tensor: Tensor) => Tensor;
}

/**
 * The model with every tensor replaced: initializers and attributes, in subgraphs and functions too. Parts in which nothing
 * changes are shared with the original.
 */
export function mapTensors(model: Model, replace: (tensor: Tensor) => Tensor): Model {
  const visitor: Visitor = { tensor: replace };
  const graph = mapGraph(model.graph, visitor);
  const functions = mapList(model.functions, (f) => mapFunction(f, visitor));
  return graph === model.graph && functions === model.functions ? model : { ...model, graph, functions };
}

function mapGraph(graph: Graph, visitor: Visitor): Graph {
  const initializers = mapValues(graph.initializers, visitor.tensor);
  const nodes = mapList(graph.nodes, (node) => mapNode(node, visitor));
  return initializers === graph.initializers && nodes === graph.nodes
    ? graph
    : { ...graph, initializers, nodes };
}

function mapFunction(f: FunctionDefinition, visitor: Visitor): FunctionDefinition {
  const nodes = mapList(f.nodes, (node) => mapNode(node, visitor));
  const attributeDefaults = mapValues(f.attributeDefaults, (a) => mapAttribute(a, visitor));
  return nodes === f.nodes && attributeDefaults === f.attributeDefaults
    ? f
    : { ...f, nodes, attributeDefaults };
}

function mapNode(node: Node, visitor: Visitor): Node {
  const attributes = mapValues(node.attributes, (a) => mapAttribute(a, visitor));
  return attributes === node.attributes ? node : { ...node, attributes };
}

function mapAttribute(a: Attribute, visitor: Visitor): Attribute {
  switch (a.kind) {
    case 'tensor': {
      const value = visitor.tensor(a.value);
      return value === a.value ? a : { kind: a.kind, value };
    }
    case 'tensors': {
      const value = mapList(a.value, visitor.tensor);
      return value === a.value ? a : { kind: a.kind, value };
    }
    case 'graph': {
      const value = mapGraph(a.value, visitor);
      return value === a.value ? a : { kind: a.kind, value };
    }
    case 'graphs': {
      const value = mapList(a.value, (g) => mapGraph(g, visitor));
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
