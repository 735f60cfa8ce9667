import { GlacisError } from '../core/error.ts';
import type { BuiltNode, Value } from './graph-value.ts';
import { computed, INTERNAL_DOMAIN, written } from './internal-operators.ts';
import type { Model, Node, ValueInfo } from './model.ts';
import type { Tensor } from './tensor.ts';

/** How a graph under construction becomes a model. */
export interface BuildOptions {
  readonly name?: string;
  /** Leaves out inputs that no output needs. Default: they stay. */
  readonly dropUnusedInputs?: boolean;
}

/** A graph under construction. */
export interface GraphParts {
  readonly nodes: readonly BuiltNode[];
  readonly inputs: readonly Value[];
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly opsets: ReadonlyMap<string, number>;
  /** Whether a node makes the value of this name. */
  isMade(name: string): boolean;
  freshName(hint: string): string;
}

/**
 * The model that computes `outputs` (name to value), holding only what they need. Each goes through an `Identity`
 * that gives it its name, which the runtime removes, unless a node can give it under that name itself.
 * Errors: `model/invalid` where an output has the name of an input.
 */
export function modelOf(
  parts: GraphParts,
  outputs: Readonly<Record<string, Value>>,
  { name: graphName = 'glacis', dropUnusedInputs = false }: BuildOptions,
): Model {
  const { inputs, constants, opsets } = parts;
  const clash = inputs.find((v) => Object.hasOwn(outputs, v.name));
  if (clash)
    throw new GlacisError(
      'model/invalid',
      `build: '${clash.name}' names an input and an output; rename the input`,
    );
  const { kept, needed } = neededBy(Object.values(outputs), parts.nodes);
  const { now, direct } = namesIn(parts, outputs);
  const nodes: Node[] = kept.map(({ node }) => {
    const plain = written(node);
    return { ...plain, inputs: plain.inputs.map(now), outputs: plain.outputs.map(now) };
  });
  const nodeNames = new Set(nodes.map(({ name }) => name));
  for (const [name, value] of Object.entries(outputs)) {
    if (direct.has(name)) continue;
    // An input, a constant, or a value that is an output already. A model that was built here before has such a node already.
    let nodeName = `to_${name}`;
    while (nodeNames.has(nodeName)) nodeName += '_';
    nodeNames.add(nodeName);
    nodes.push(identity(nodeName, now(value.name), name));
  }
  const initializers = new Map<string, Tensor>();
  for (const [name, tensor] of constants) if (needed.has(name)) initializers.set(now(name), tensor);
  return {
    irVersion: 10,
    opsets: new Map([...opsets].filter(([domain]) => domain !== INTERNAL_DOMAIN)),
    graph: {
      name: graphName,
      inputs: inputs
        .filter(({ name }) => !dropUnusedInputs || needed.has(name))
        .map((v) => infoOf(v.name, v)),
      outputs: Object.entries(outputs).map(([name, value]) => infoOf(name, value)),
      initializers,
      nodes,
      valueTypes: new Map(),
    },
    functions: [],
    producer: 'glacis',
    metadata: new Map(),
  };
}

/** The nodes that `outputs` need, in order, and the names of all values that these nodes and outputs take. */
function neededBy(outputs: readonly Value[], nodes: readonly BuiltNode[]) {
  const needed = new Set(outputs.map(({ name }) => name));
  const kept: BuiltNode[] = [];
  for (const each of nodes.toReversed()) {
    const node = computed(each);
    if (!node.outputs.some(({ name }) => needed.has(name))) continue;
    kept.push(node);
    for (const v of node.inputs) if (v) needed.add(v.name);
  }
  return { kept: kept.reverse(), needed };
}

/** What values are called in the model. A node gives an output under its name, once (`direct`); inner values that have that name step aside. */
function namesIn(
  { constants, isMade, freshName }: GraphParts,
  outputs: Readonly<Record<string, Value>>,
): { readonly now: (name: string) => string; readonly direct: ReadonlySet<string> } {
  const named = new Map<string, string>();
  for (const [name, value] of Object.entries(outputs))
    if (isMade(value.name) && !named.has(value.name)) named.set(value.name, name);
  const direct = new Set(named.values());
  for (const name of Object.keys(outputs))
    if ((constants.has(name) || isMade(name)) && !named.has(name)) named.set(name, freshName(name));
  return { now: (name) => named.get(name) ?? name, direct };
}

function identity(name: string, from: string, to: string): Node {
  return { op: 'Identity', domain: '', name, inputs: [from], outputs: [to], attributes: new Map() };
}

function infoOf(name: string, value: Value): ValueInfo {
  const dims = value.isStatic ? value.dims : undefined;
  return { name, type: { kind: 'tensor', dtype: value.dtype, dims } };
}
