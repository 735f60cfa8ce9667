import type { Attribute, Graph, Model, Node } from './model.ts';
import { nodeLabel, type Problems, quoted } from './problems.ts';
import { subgraphsOf } from './walk.ts';

/** Oldest and newest version of the standard operators (`ai.onnx`) that Glacis understands. */
export const OPSET_RANGE = Object.freeze({ oldest: 7, newest: 26 });

/** Oldest and newest version of the file format itself that Glacis understands. */
export const IR_RANGE = Object.freeze({ oldest: 3, newest: 14 });

/**
 * Checks a whole model and puts its nodes in order: every value defined once and before its use, no cycle, known versions.
 * What is wrong goes to `problems`; the result is the model with sorted nodes (the same object when they were in order).
 */
export function sortAndCheck(model: Model, problems: Problems): Model {
  checkVersions(model, problems);
  const { graph, free } = sortGraph(model.graph, model.opsets, problems, 'graph');
  for (const [name, where] of free) problems.add(undefinedValue(name, where));
  const names = new Set<string>();
  const functions = model.functions.map((f) => {
    const key = JSON.stringify([f.domain, f.name, f.overload]);
    const where = `function ${quoted(f.domain === '' ? f.name : `${f.domain}.${f.name}`)}`;
    if (names.has(key)) problems.add(`${where}: is there twice`);
    names.add(key);
    const opsets = f.opsets.size > 0 ? f.opsets : model.opsets;
    const body = {
      name: f.name,
      inputs: f.inputs,
      outputs: f.outputs,
      initializers: new Map(),
      nodes: f.nodes,
    };
    const sorted = sortNodes(body, opsets, problems, where);
    for (const [name, used] of sorted.free) problems.add(undefinedValue(name, used));
    return sorted.nodes === f.nodes ? f : { ...f, nodes: sorted.nodes };
  });
  const unchanged = graph === model.graph && functions.every((f, i) => f === model.functions[i]);
  return unchanged ? model : { ...model, graph, functions };
}

function undefinedValue(name: string, where: () => string): string {
  return `${where()}: uses ${quoted(name)}, which no input, initializer or node defines`;
}

function checkVersions(model: Model, problems: Problems): void {
  const { oldest, newest } = IR_RANGE;
  if (!(model.irVersion >= oldest && model.irVersion <= newest)) {
    problems.add(
      `IR version: expected ${oldest} to ${newest}, got ${model.irVersion}; export the model again with a current exporter`,
    );
  }
  const opset = model.opsets.get('');
  const range = `${OPSET_RANGE.oldest} to ${OPSET_RANGE.newest}`;
  if (opset === undefined)
    problems.add(`opset imports: the version of ai.onnx is missing; supported are ${range}`);
  else if (!(opset >= OPSET_RANGE.oldest && opset <= OPSET_RANGE.newest)) {
    const help =
      opset < OPSET_RANGE.oldest
        ? 'convert the model with onnx.version_converter or export it again'
        : 'export it with an older opset_version';
    problems.add(`opset imports: expected ai.onnx ${range}, got ${opset}; ${help}`);
  }
}

/** A graph or a function body, as far as names are concerned. */
interface Body {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly initializers: ReadonlyMap<string, unknown>;
  readonly nodes: readonly Node[];
}

/** Names that a graph takes from outside, each with the place that uses it first. */
type Uses = ReadonlyMap<string, () => string>;

function sortGraph(
  graph: Graph,
  opsets: ReadonlyMap<string, number>,
  problems: Problems,
  where: string,
): { graph: Graph; free: Uses } {
  const body: Body = {
    ...graph,
    inputs: graph.inputs.map((v) => v.name),
    outputs: graph.outputs.map((v) => v.name),
  };
  const { nodes, free } = sortNodes(body, opsets, problems, where);
  return { graph: nodes === graph.nodes ? graph : { ...graph, nodes }, free };
}

function sortNodes(
  body: Body,
  opsets: ReadonlyMap<string, number>,
  problems: Problems,
  where: string,
): { nodes: readonly Node[]; free: Uses } {
  const available = new Set<string>();
  for (const name of body.inputs) {
    if (name === '') problems.add(`${where}: an input has no name`);
    else if (available.has(name)) problems.add(`${where}: input ${quoted(name)} is there twice`);
    available.add(name);
  }
  for (const name of body.initializers.keys()) available.add(name);
  const maker = new Map<string, number>();
  body.nodes.forEach((node, i) => {
    for (const name of node.outputs) {
      if (name === '') continue;
      if (available.has(name) || maker.has(name)) {
        problems.add(
          `${nodeLabel(where, i, node.op, node.name)}: defines ${quoted(name)}, which is defined already; each value may be assigned once`,
        );
      } else maker.set(name, i);
    }
  });
  const free = new Map<string, () => string>();
  const captured = new Map<number, Uses>();
  let changed = false;
  const checked = body.nodes.map((node, i) => {
    const label = () => nodeLabel(where, i, node.op, node.name);
    if (node.domain !== '' && !opsets.has(node.domain)) {
      problems.add(`${label()}: its domain ${quoted(node.domain)} is not among the model's opset imports`);
    }
    const sorted = sortSubgraphs(node, opsets, problems, label);
    if (sorted === undefined) return node;
    captured.set(i, sorted.captured);
    changed ||= sorted.node !== node;
    return sorted.node;
  });
  let ordered = true;
  const use = (name: string, i: number, place: () => string): void => {
    const by = maker.get(name);
    if (by !== undefined) ordered &&= by < i;
    else if (name !== '' && !available.has(name) && !free.has(name)) free.set(name, place);
  };
  body.nodes.forEach((node, i) => {
    for (const name of node.inputs) use(name, i, () => nodeLabel(where, i, node.op, node.name));
    for (const [name, place] of captured.get(i) ?? []) use(name, i, place);
  });
  const outputs = new Set<string>();
  for (const name of body.outputs) {
    if (name === '') problems.add(`${where}: an output has no name`);
    else if (outputs.has(name)) problems.add(`${where}: output ${quoted(name)} is there twice`);
    else if (!available.has(name) && !maker.has(name) && !free.has(name))
      free.set(name, () => `${where}: its outputs`);
    outputs.add(name);
  }
  const nodes = changed ? checked : body.nodes;
  if (ordered) return { nodes, free };
  const order = topologicalOrder(
    body.nodes.map((node, i) =>
      [...node.inputs, ...(captured.get(i)?.keys() ?? [])].flatMap((name) => maker.get(name) ?? []),
    ),
    (cycle) => problems.add(`${where}: its nodes form a cycle: ${cycleText(cycle, body.nodes)}`),
  );
  return { nodes: order === undefined ? nodes : order.map((i) => nodes[i]!), free };
}

function cycleText(cycle: readonly number[], nodes: readonly Node[]): string {
  const label = (i: number) =>
    `${nodes[i]!.op.slice(0, 60).toWellFormed()} ${quoted(nodes[i]!.name || (nodes[i]!.outputs[0] ?? ''))}`;
  const shown = cycle.length > 8 ? [...cycle.slice(0, 7).map(label), '…'] : cycle.map(label);
  return [...shown, label(cycle[0]!)].join(' → ');
}

/** Sorts the graphs inside a node, and says what they take from outside; `undefined` for a node without any. */
function sortSubgraphs(
  node: Node,
  opsets: ReadonlyMap<string, number>,
  problems: Problems,
  where: () => string,
): { node: Node; captured: Uses } | undefined {
  if (subgraphsOf(node).length === 0) return undefined;
  const captured = new Map<string, () => string>();
  let changed = false;
  const sorted = (g: Graph, key: string): Graph => {
    const { graph, free } = sortGraph(g, opsets, problems, `${where()}: ${key.slice(0, 60).toWellFormed()}`);
    for (const [name, place] of free) if (!captured.has(name)) captured.set(name, place);
    changed ||= graph !== g;
    return graph;
  };
  const attributes = new Map<string, Attribute>();
  for (const [key, a] of node.attributes) {
    if (a.kind === 'graph') attributes.set(key, { kind: 'graph', value: sorted(a.value, key) });
    else if (a.kind === 'graphs')
      attributes.set(key, { kind: 'graphs', value: a.value.map((g) => sorted(g, key)) });
    else attributes.set(key, a);
  }
  return { node: changed ? { ...node, attributes } : node, captured };
}

/**
 * An order in which each node comes after those it needs, otherwise as close to the given one as a depth-first walk keeps
 * it; `undefined` after `onCycle` has been told the nodes of one cycle. Without recursion, so that depth does not matter.
 */
function topologicalOrder(
  needs: readonly (readonly number[])[],
  onCycle: (cycle: readonly number[]) => void,
): readonly number[] | undefined {
  const state = new Uint8Array(needs.length); // 0 new, 1 on the path, 2 done
  const order: number[] = [];
  for (let root = 0; root < needs.length; root++) {
    if (state[root] !== 0) continue;
    const path = [{ node: root, next: 0 }];
    state[root] = 1;
    while (path.length > 0) {
      const top = path[path.length - 1]!;
      const need = needs[top.node]![top.next++];
      if (need === undefined) {
        state[top.node] = 2;
        order.push(top.node);
        path.pop();
      } else if (state[need] === 1) {
        const start = path.findIndex(({ node }) => node === need);
        onCycle(
          path
            .slice(start)
            .map(({ node }) => node)
            .reverse(),
        );
        return undefined;
      } else if (state[need] === 0) {
        state[need] = 1;
        path.push({ node: need, next: 0 });
      }
    }
  }
  return order;
}
