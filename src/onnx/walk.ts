import type { Graph, Node } from './model.ts';

/** The graphs inside a node (`If`, `Loop`, `Scan`), one level deep. */
export function subgraphsOf(node: Node): readonly Graph[] {
  const graphs: Graph[] = [];
  for (const attribute of node.attributes.values()) {
    if (attribute.kind === 'graph') graphs.push(attribute.value);
    else if (attribute.kind === 'graphs') for (const graph of attribute.value) graphs.push(graph);
  }
  return graphs;
}

/** Every node of `nodes` and of the graphs inside them, each before what it holds. */
export function* allNodes(nodes: Iterable<Node>): Generator<Node> {
  for (const node of nodes) {
    yield node;
    for (const graph of subgraphsOf(node)) yield* allNodes(graph.nodes);
  }
}

/** A graph and every graph inside it, at any depth. */
export function* allGraphs(graph: Graph): Generator<Graph> {
  yield graph;
  for (const node of graph.nodes) for (const inner of subgraphsOf(node)) yield* allGraphs(inner);
}
