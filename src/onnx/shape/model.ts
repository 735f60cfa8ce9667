import { GlacisError } from '../../core/error.ts';
import { foldNode } from '../fold/fold.ts';
import { foldShapeOf } from '../fold/shape-of.ts';
import type { Attribute, Dim, FunctionDefinition, Graph, Model, Node, ValueType } from '../model.ts';
import { numbersOf, type Tensor } from '../tensor.ts';
import { inferElements } from './elements.ts';
import { inferNode } from './infer.ts';
import type { Facts } from './rule.ts';

/** Nodes looked at, function bodies counted at each call: functions that call each other can otherwise grow without end. */
const MAX_NODES = 1_000_000;
const MAX_DEPTH = 64;

/** Operators that give something else each time. */
const RANDOM = new Set([
  'Bernoulli',
  'Multinomial',
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
]);

interface Walk {
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  budget: number;
}

/**
 * What is known of every value of the model's main graph before it runs: type, sizes, and the elements of values that
 * only constants and shapes decide. `inputDims` fixes sizes of inputs by name; a symbol fixed in one input is fixed
 * in all. Values whose type nothing tells are not in the map. What the file says of inner values is used only where Glacis
 * has no rule.
 * Errors: `model/invalid` when shapes contradict an operator, `option/invalid` when `inputDims` does not fit the inputs.
 */
export function inferModel(
  model: Model,
  inputDims: Readonly<Record<string, readonly (number | string)[]>> = {},
): Map<string, Facts> {
  const facts = new Map<string, Facts>();
  for (const [name, value] of inputFacts(model.graph, inputDims)) facts.set(name, value);
  const functions = new Map(model.functions.map((f) => [functionKey(f.domain, f.name, f.overload), f]));
  walkGraph(model.graph, facts, model.opsets, { functions, budget: MAX_NODES }, 0);
  return facts;
}

function inputFacts(
  graph: Graph,
  inputDims: Readonly<Record<string, readonly (number | string)[]>>,
): Map<string, Facts> {
  for (const name of Object.keys(inputDims)) {
    if (!graph.inputs.some((i) => i.name === name)) {
      throw new GlacisError(
        'option/invalid',
        `inputDims: expected one of the inputs ${graph.inputs.map((i) => i.name).join(', ')}, got ${name}`,
      );
    }
  }
  const symbols = new Map<string, number | string>();
  const facts = new Map<string, Facts>();
  const tensors = graph.inputs.flatMap(({ name, type }) => (type.kind === 'tensor' ? [{ name, type }] : []));
  for (const { name, type } of tensors) {
    const given = Object.hasOwn(inputDims, name) ? inputDims[name] : undefined;
    if (!given) continue;
    const wrong =
      type.dims &&
      (type.dims.length !== given.length ||
        type.dims.some((d, i) => typeof d === 'number' && d !== given[i]));
    if (wrong || given.some((d) => typeof d === 'number' && !(Number.isSafeInteger(d) && d >= 0))) {
      throw new GlacisError(
        'option/invalid',
        `inputDims: ${name}: expected sizes like [${type.dims?.map((d) => d ?? '?').join(', ') ?? '…'}], got [${given.join(', ')}]`,
      );
    }
    type.dims?.forEach((d, i) => {
      if (typeof d === 'string') symbols.set(d, given[i]!);
    });
    facts.set(name, { dtype: type.dtype, dims: given });
  }
  for (const { name, type } of tensors) {
    if (facts.has(name)) continue;
    facts.set(name, {
      dtype: type.dtype,
      dims: type.dims?.map((d): Dim => (typeof d === 'string' ? (symbols.get(d) ?? d) : d)),
    });
  }
  return facts;
}

const functionKey = (domain: string, name: string, overload: string): string =>
  `${domain}\u0000${name}\u0000${overload}`;

/** Adds what follows for the graph's values to `facts`, which already holds its inputs and outer values. */
function walkGraph(
  graph: Graph,
  facts: Map<string, Facts>,
  opsets: ReadonlyMap<string, number>,
  walk: Walk,
  depth: number,
): void {
  for (const [name, tensor] of graph.initializers) facts.set(name, constantFacts(tensor));
  const hints = new Map(graph.valueTypes);
  for (const o of graph.outputs) hints.set(o.name, o.type);
  walkNodes(graph.nodes, facts, hints, opsets, walk, depth);
}

const constantFacts = (data: Tensor): Facts => ({ dtype: data.dtype, dims: data.dims, data });

function walkNodes(
  nodes: readonly Node[],
  facts: Map<string, Facts>,
  hints: ReadonlyMap<string, ValueType>,
  opsets: ReadonlyMap<string, number>,
  walk: Walk,
  depth: number,
): void {
  if (depth > MAX_DEPTH)
    throw new GlacisError(
      'model/invalid',
      `model: expected functions and subgraphs nested at most ${MAX_DEPTH} deep, got more`,
    );
  for (const node of nodes) {
    if (--walk.budget < 0)
      throw new GlacisError('model/invalid', `model: expected at most ${MAX_NODES} operator calls, got more`);
    const outputs = outputFacts(node, facts, opsets, walk, depth);
    node.outputs.forEach((name, i) => {
      if (name === '') return;
      const hint = hints.get(name);
      const known =
        outputs?.[i] ?? (hint?.kind === 'tensor' ? { dtype: hint.dtype, dims: hint.dims } : undefined);
      if (known) facts.set(name, known);
    });
  }
}

function outputFacts(
  node: Node,
  facts: ReadonlyMap<string, Facts>,
  opsets: ReadonlyMap<string, number>,
  walk: Walk,
  depth: number,
): readonly (Facts | undefined)[] | undefined {
  const body = walk.functions.get(functionKey(node.domain, node.op, node.overload ?? ''));
  if (body) return callFunction(body, node, facts, walk, depth);
  if (node.domain === '' && node.op === 'If') return branchFacts(node, facts, opsets, walk, depth);
  const inputs = node.inputs.map((name) => (name === '' ? undefined : facts.get(name)));
  // An input of unknown type (a sequence, or the output of an unknown operator): nothing follows.
  if (node.inputs.some((name, i) => name !== '' && !inputs[i])) return undefined;
  const opset = opsets.get(node.domain) ?? 1;
  const types = inferNode(node, inputs, opset);
  if (!types) return undefined;
  const dims = inputs[0]?.dims;
  const measured = dims && foldShapeOf(node, dims);
  if (measured) return [constantFacts(measured)];
  const elements = types[0] && inferElements(node, inputs, types[0], opset);
  const withElements = elements ? [{ ...types[0]!, elements }, ...types.slice(1)] : types;
  if (RANDOM.has(node.op) || !inputs.every((f, i) => node.inputs[i] === '' || f?.data)) return withElements;
  return (
    foldNode(
      node,
      inputs.map((f) => f?.data),
      opset,
      node.outputs.length,
    )?.map(constantFacts) ?? types
  );
}

/** The outputs of a model-local function, whose body sees nothing but its inputs. */
function callFunction(
  body: FunctionDefinition,
  node: Node,
  outer: ReadonlyMap<string, Facts>,
  walk: Walk,
  depth: number,
): readonly (Facts | undefined)[] {
  const facts = new Map<string, Facts>();
  body.inputs.forEach((name, i) => {
    const value = outer.get(node.inputs[i] ?? '');
    if (value) facts.set(name, value);
  });
  const present = new Set(body.inputs.filter((_, i) => (node.inputs[i] ?? '') !== ''));
  const nodes = body.nodes.map((n) => ({
    ...n,
    // An optional input that the call leaves out is absent inside as well.
    inputs: n.inputs.map((name) => (body.inputs.includes(name) && !present.has(name) ? '' : name)),
    attributes: boundAttributes(n, node, body),
  }));
  walkNodes(nodes, facts, new Map(), body.opsets, walk, depth + 1);
  return body.outputs.map((name) => facts.get(name));
}

function boundAttributes(inner: Node, call: Node, body: FunctionDefinition): ReadonlyMap<string, Attribute> {
  const out = new Map<string, Attribute>();
  for (const [name, attribute] of inner.attributes) {
    const bound =
      attribute.kind === 'reference'
        ? (call.attributes.get(attribute.value) ?? body.attributeDefaults.get(attribute.value))
        : attribute;
    if (bound) out.set(name, bound);
  }
  return out;
}

/** `If`: the branch that a constant condition takes, otherwise what both branches agree on. */
function branchFacts(
  node: Node,
  facts: ReadonlyMap<string, Facts>,
  opsets: ReadonlyMap<string, number>,
  walk: Walk,
  depth: number,
): readonly (Facts | undefined)[] {
  const condition = facts.get(node.inputs[0] ?? '')?.data;
  const chosen =
    condition && !condition.external
      ? numbersOf(condition)[0]
        ? ['then_branch']
        : ['else_branch']
      : ['then_branch', 'else_branch'];
  const results = chosen.map((name) => {
    const branch = node.attributes.get(name);
    if (branch?.kind !== 'graph')
      throw new GlacisError(
        'model/invalid',
        `${node.op} ${node.name}: expected a graph '${name}', got ${branch?.kind ?? 'none'}`,
      );
    const inner = new Map(facts);
    walkGraph(branch.value, inner, opsets, walk, depth + 1);
    return branch.value.outputs.map((o) => inner.get(o.name));
  });
  const [first, second] = results;
  return node.outputs.map((_, i) => (second ? agreed(first?.[i], second[i]) : first?.[i]));
}

/** What holds for both. */
function agreed(a: Facts | undefined, b: Facts | undefined): Facts | undefined {
  if (!a || !b || a.dtype !== b.dtype) return undefined;
  if (!a.dims || !b.dims || a.dims.length !== b.dims.length) return { dtype: a.dtype, dims: undefined };
  return { dtype: a.dtype, dims: a.dims.map((d, i) => (d === b.dims![i] ? d : null)) };
}
