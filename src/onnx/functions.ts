import { GlacisError } from '../core/error.ts';
import { sortAndCheck } from './check.ts';
import { type Limits, limitsWith } from './limits.ts';
import type { Attribute, FunctionDefinition, Graph, Model, Node } from './model.ts';
import { Problems, quoted } from './problems.ts';
import { allGraphs, allNodes } from './walk.ts';

/** Functions that call functions may do so this deep; exporters make about as many levels as the network has modules. */
const DEEPEST_CALL = 256;

/** What one inlining carries along. */
interface Inlining {
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  /** Every name of the model so far; new ones avoid them. */
  readonly taken: Set<string>;
  readonly called: Set<FunctionDefinition>;
  readonly limits: Limits;
  /** Calls and nodes made so far. */
  made: number;
  fresh: number;
}

/** How a function's body is copied into its caller. */
interface Call {
  readonly prefix: string;
  /** The caller's attributes, which references take their values from. */
  readonly attributes: ReadonlyMap<string, Attribute>;
}

type Names = ReadonlyMap<string, string>;

/**
 * Replaces every call of a model-local function by the function's nodes, also in subgraphs and in functions that call
 * functions, so that a graph of plain operators remains. Attributes that the body takes from its caller get the caller's
 * value, or the default, or are left out. Inner values are renamed so that every name stays unique.
 *
 * Errors: `model/invalid` for functions that call themselves, for calls with too many inputs or outputs, and for functions
 * that use another version of a domain's operators than the model does (their meaning may differ); `model/too-large` when
 * more than `limits.nodes` nodes would result.
 * Source: https://onnx.ai/onnx/repo-docs/IR.html#model-functions
 */
export function inlineFunctions(model: Model, options: { readonly limits?: Partial<Limits> } = {}): Model {
  if (model.functions.length === 0) return model;
  const state: Inlining = {
    functions: new Map(model.functions.map((f) => [functionKey(f.domain, f.name, f.overload), f])),
    taken: namesOf(model.graph),
    called: new Set(),
    limits: limitsWith(options.limits),
    made: 0,
    fresh: 0,
  };
  const graph = inlineGraph(model.graph, state, [], 0);
  const inlined: Model = { ...model, graph, functions: [], opsets: joinedOpsets(model, graph, state.called) };
  const problems = new Problems();
  const checked = sortAndCheck(inlined, problems);
  problems.throwIfAny('model with its functions inlined');
  return checked;
}

function functionKey(domain: string, name: string, overload: string): string {
  return JSON.stringify([domain, name, overload]);
}

/** How messages name a function. */
function label(f: FunctionDefinition): string {
  return quoted([f.domain, f.name, f.overload].filter((part) => part !== '').join('.'));
}

function namesOf(graph: Graph): Set<string> {
  const names = new Set<string>();
  for (const g of allGraphs(graph)) {
    for (const value of g.inputs) names.add(value.name);
    for (const name of g.initializers.keys()) names.add(name);
    for (const node of g.nodes) for (const name of node.outputs) names.add(name);
  }
  return names;
}

function inlineGraph(
  graph: Graph,
  state: Inlining,
  path: readonly FunctionDefinition[],
  depth: number,
): Graph {
  if (depth > state.limits.depth) {
    throw new GlacisError(
      'model/too-large',
      `functions: expected at most ${state.limits.depth} levels of graphs inside graphs once inlined, got more`,
    );
  }
  const nodes = inlineNodes(graph.nodes, state, path, depth);
  return nodes === graph.nodes ? graph : { ...graph, nodes };
}

function inlineNodes(
  nodes: readonly Node[],
  state: Inlining,
  path: readonly FunctionDefinition[],
  depth: number,
): readonly Node[] {
  const result: Node[] = [];
  let changed = false;
  for (const node of nodes) {
    const f = state.functions.get(functionKey(node.domain, node.op, node.overload ?? ''));
    if (f === undefined) {
      const kept = inlineSubgraphs(node, state, path, depth);
      changed ||= kept !== node;
      result.push(kept);
      continue;
    }
    changed = true;
    if (path.includes(f)) {
      const circle = [...path.slice(path.indexOf(f)), f].slice(0, 8).map(label).join(' → ');
      throw new GlacisError('model/invalid', `functions: expected none that calls itself, got ${circle}`);
    }
    if (path.length >= DEEPEST_CALL) {
      throw new GlacisError(
        'model/too-large',
        `functions: expected calls at most ${DEEPEST_CALL} deep, got more at ${label(f)}`,
      );
    }
    for (const inner of inlineNodes(bodyFor(node, f, state), state, [...path, f], depth)) result.push(inner);
  }
  return changed ? result : nodes;
}

function inlineSubgraphs(
  node: Node,
  state: Inlining,
  path: readonly FunctionDefinition[],
  depth: number,
): Node {
  let attributes: Map<string, Attribute> | undefined;
  for (const [name, attribute] of node.attributes) {
    if (attribute.kind !== 'graph' && attribute.kind !== 'graphs') continue;
    const before = attribute.kind === 'graph' ? [attribute.value] : attribute.value;
    const after = before.map((g) => inlineGraph(g, state, path, depth + 1));
    if (after.every((g, i) => g === before[i])) continue;
    attributes ??= new Map(node.attributes);
    attributes.set(
      name,
      attribute.kind === 'graph' ? { kind: 'graph', value: after[0]! } : { kind: 'graphs', value: after },
    );
  }
  return attributes === undefined ? node : { ...node, attributes };
}

/** The nodes that stand for one call of `f`. */
function bodyFor(node: Node, f: FunctionDefinition, state: Inlining): readonly Node[] {
  if (node.inputs.length > f.inputs.length || node.outputs.length > f.outputs.length) {
    throw new GlacisError(
      'model/invalid',
      `call of function ${label(f)}: expected at most ${f.inputs.length} inputs and ${f.outputs.length} outputs, got ${node.inputs.length} and ${node.outputs.length}`,
    );
  }
  state.called.add(f);
  count(state, 1);
  const attributes = new Map(f.attributeDefaults);
  for (const [name, attribute] of node.attributes) attributes.set(name, attribute);
  const call: Call = { prefix: `${f.name}_${++state.fresh}`, attributes };
  const names = new Map<string, string>();
  f.inputs.forEach((formal, i) => {
    names.set(formal, node.inputs[i] ?? '');
  });
  const copies: Node[] = [];
  f.outputs.forEach((formal, i) => {
    const actual = node.outputs[i] ?? '';
    if (actual === '') return;
    const known = names.get(formal);
    if (known === undefined) {
      names.set(formal, actual);
      return;
    }
    // An input handed through, or one value given out twice.
    if (known === '')
      throw new GlacisError(
        'model/invalid',
        `call of function ${label(f)}: hands through input ${quoted(formal)}, which the call leaves out`,
      );
    copies.push({
      op: 'Identity',
      domain: '',
      name: '',
      inputs: [known],
      outputs: [actual],
      attributes: new Map(),
    });
  });
  return [...copyNodes(f.nodes, names, call, state), ...copies];
}

function count(state: Inlining, amount: number): void {
  state.made += amount;
  if (state.made > state.limits.nodes) {
    throw new GlacisError(
      'model/too-large',
      `functions: expected at most ${state.limits.nodes} nodes once inlined, got more`,
    );
  }
}

function freshName(wanted: string, state: Inlining): string {
  let name = wanted;
  while (state.taken.has(name)) name = `${wanted}_${++state.fresh}`;
  state.taken.add(name);
  return name;
}

function copyNodes(nodes: readonly Node[], outer: Names, call: Call, state: Inlining): readonly Node[] {
  const names = new Map(outer);
  for (const node of nodes) {
    for (const name of node.outputs)
      if (name !== '' && !names.has(name)) names.set(name, freshName(`${call.prefix}/${name}`, state));
  }
  return renameNodes(nodes, names, call, state);
}

function renameNodes(nodes: readonly Node[], names: Names, call: Call, state: Inlining): readonly Node[] {
  count(state, nodes.length);
  const renamed = (name: string): string => (name === '' ? '' : (names.get(name) ?? name));
  return nodes.map((node) => {
    const attributes = new Map<string, Attribute>();
    for (const [name, attribute] of node.attributes) {
      const value = attribute.kind === 'reference' ? call.attributes.get(attribute.value) : attribute;
      if (value === undefined) continue;
      // A value from the caller is in the caller's names already.
      attributes.set(name, attribute.kind === 'reference' ? value : copyAttribute(value, names, call, state));
    }
    return {
      ...node,
      name: node.name === '' ? '' : `${call.prefix}/${node.name}`,
      inputs: node.inputs.map(renamed),
      outputs: node.outputs.map(renamed),
      attributes,
    };
  });
}

function copyAttribute(attribute: Attribute, names: Names, call: Call, state: Inlining): Attribute {
  if (attribute.kind === 'graph')
    return { kind: 'graph', value: copyGraph(attribute.value, names, call, state) };
  if (attribute.kind === 'graphs')
    return { kind: 'graphs', value: attribute.value.map((g) => copyGraph(g, names, call, state)) };
  return attribute;
}

function copyGraph(graph: Graph, outer: Names, call: Call, state: Inlining): Graph {
  const names = new Map(outer);
  const define = (name: string): void => {
    if (name !== '') names.set(name, freshName(`${call.prefix}/${name}`, state));
  };
  for (const value of graph.inputs) define(value.name);
  for (const name of graph.initializers.keys()) define(name);
  for (const node of graph.nodes) for (const name of node.outputs) define(name);
  const renamed = (name: string): string => names.get(name) ?? name;
  return {
    name: graph.name,
    inputs: graph.inputs.map((value) => ({ ...value, name: renamed(value.name) })),
    outputs: graph.outputs.map((value) => ({ ...value, name: renamed(value.name) })),
    initializers: new Map([...graph.initializers].map(([name, tensor]) => [renamed(name), tensor])),
    nodes: renameNodes(graph.nodes, names, call, state),
    valueTypes: new Map([...graph.valueTypes].map(([name, type]) => [renamed(name), type])),
  };
}

function joinedOpsets(
  model: Model,
  graph: Graph,
  called: ReadonlySet<FunctionDefinition>,
): ReadonlyMap<string, number> {
  const opsets = new Map(model.opsets);
  for (const f of called) {
    const used = new Set<string>();
    for (const node of allNodes(f.nodes)) used.add(node.domain);
    for (const [domain, version] of f.opsets) {
      const own = opsets.get(domain);
      if (own === undefined) opsets.set(domain, version);
      else if (own !== version && used.has(domain)) {
        const name = domain === '' ? 'ai.onnx' : quoted(domain);
        throw new GlacisError(
          'model/invalid',
          `function ${label(f)}: expected ${name} version ${own} as in the model, got ${version}; convert the model with onnx.version_converter, or inline its functions where it was exported`,
        );
      }
    }
  }
  const left = new Set<string>();
  for (const node of allNodes(graph.nodes)) left.add(node.domain);
  for (const f of model.functions) if (f.domain !== '' && !left.has(f.domain)) opsets.delete(f.domain);
  return opsets;
}
