import { GlacisError } from '../core/error.ts';
import { attributesOf } from '../onnx/attributes.ts';
import { isFloat, isInteger } from '../onnx/dtype.ts';
import { BUILD_OPSET, GraphBuilder, type Value } from '../onnx/graph-builder.ts';
import type { Dim, Graph, Model, Node } from '../onnx/model.ts';
import { unrollControlFlow } from './control-flow.ts';
import { checkLifted, type Lift, liftNode, refuse } from './lift-batch.ts';
import { LOWERINGS } from './lower/registry.ts';
import { findLowering, type LowerContext, type LowerRule } from './lower/rule.ts';
import { type Ops, opsOn } from './ops.ts';
import { UPGRADES } from './upgrade/registry.ts';

/** A model written into a {@link GraphBuilder} with static shapes, ready for more nodes. */
export interface Trace {
  readonly b: Ops;
  /** By name, in the model's order. */
  readonly inputs: ReadonlyMap<string, Value>;
  readonly outputs: ReadonlyMap<string, Value>;
  /** Initializers that became graph inputs, by name: what training differentiates with respect to. */
  readonly parameters: ReadonlyMap<string, Value>;
  /** Every named value of the model's main graph. */
  readonly values: ReadonlyMap<string, Value>;
  /** The model's initializers by name, as its nodes see them. */
  readonly initializers: ReadonlyMap<string, Value>;
}

/** How {@link specialise} writes the model. */
export interface SpecialiseOptions {
  /** Sizes of symbolic dimensions by name, e.g. `{ batch: 64 }`. */
  readonly symbols?: Readonly<Record<string, number>>;
  /** Full shapes by input name; wins over `symbols`. */
  readonly inputDims?: Readonly<Record<string, readonly number[]>>;
  /** Size of a leading input dimension that is symbolic or unnamed. */
  readonly batch?: number;
  /** Initializers to make graph inputs. */
  readonly parameters?: readonly string[];
  /** In which order of its axes a parameter of `dims` is taken in; as in the file unless given. */
  readonly parameterOrder?: (dims: readonly number[]) => readonly number[];
  /** Write fused operators as primitives, so that gradients exist (default true). */
  readonly lower?: boolean;
  /**
   * Write a model that was exported for one sample for `batch` of them: inputs whose leading dimension is 1 take `batch`, and
   * shapes that the file bakes in grow with it (see `lift-batch.ts`). Compare both forms on data: shapes alone do not
   * always say which axis holds the samples.
   */
  readonly liftFrom?: 1;
}

/** Where names of a (sub)graph resolve. */
export interface Scope {
  get(name: string): Value | undefined;
}

/** What {@link writeGraph} needs beside the graph. */
export interface WriteContext {
  readonly b: Ops;
  readonly opsets: ReadonlyMap<string, number>;
  readonly lowerings: readonly LowerRule[];
  readonly problems: string[];
  /** Nodes of loop bodies written so far. */
  readonly unrolled: { nodes: number };
  /** Set while a model for one sample is written for more. */
  readonly lift?: Lift;
}

/**
 * Writes `model` with every shape fixed, old operators in the build opset's form, shape computations folded to constants,
 * control flow with constant conditions and trip counts unrolled and, unless `lower: false`, fused operators as
 * primitives. Model-local functions must have been inlined and external data loaded.
 * Errors: `model/dynamic-shape` for an input dimension that nothing fixes; `model/unsupported-operator` with all
 * operators that Glacis cannot write, at once; `model/invalid`; `data/mismatch` for `inputDims` that contradict the file;
 * `option/invalid` for sizes that are none and for names that the model does not have.
 */
export function specialise(model: Model, options: SpecialiseOptions = {}): Trace {
  const opset = Math.max(BUILD_OPSET, model.opsets.get('') ?? 1);
  const b = opsOn(new GraphBuilder(opset));
  for (const [domain, version] of model.opsets) if (domain !== '') b.builder.opsets.set(domain, version);
  const inputs = new Map<string, Value>();
  for (const { name, type } of model.graph.inputs) {
    if (type.kind !== 'tensor')
      throw new GlacisError(
        'model/unsupported-task',
        `input ${name}: expected a tensor, got ${type.description}`,
      );
    inputs.set(name, b.builder.input(name, type.dtype, staticDims(name, type.dims, options)));
  }
  for (const name of Object.keys(options.inputDims ?? {})) {
    if (!inputs.has(name))
      throw new GlacisError(
        'option/invalid',
        `inputDims: expected one of the inputs ${[...inputs.keys()].join(', ')}, got '${name}'`,
      );
  }
  const parameters = new Map<string, Value>();
  const initializers = new Map<string, Value>();
  const wanted = new Set(options.parameters ?? []);
  for (const [name, tensor] of model.graph.initializers) {
    if (wanted.has(name)) {
      const order = options.parameterOrder?.(tensor.dims) ?? [...tensor.dims.keys()];
      const held = b.builder.input(
        name,
        tensor.dtype,
        order.map((axis) => tensor.dims[axis]!),
      );
      parameters.set(name, held);
      initializers.set(
        name,
        b.transpose(
          held,
          tensor.dims.map((_, axis) => order.indexOf(axis)),
        ),
      );
    } else initializers.set(name, b.builder.constant(tensor, name));
  }
  for (const name of wanted) {
    if (!parameters.has(name))
      throw new GlacisError('option/invalid', `parameters: the model has no initializer named '${name}'`);
  }
  const lift = liftOf(model, options);
  const written = writeGraph(b, model, inputs, initializers, { ...options, ...(lift ? { lift } : {}) });
  return { b, inputs, ...written, parameters, initializers };
}

/**
 * Writes `model` once more into the graph of `trace`: on other inputs, with the trace's initializers or with others of the same
 * names and shapes. What both writings have in common is there once. `model` may differ from the traced one in its nodes.
 * Errors: as {@link specialise}.
 */
export function writeAgain(
  { b, initializers }: Trace,
  model: Model,
  inputs: ReadonlyMap<string, Value>,
  others: ReadonlyMap<string, Value> = new Map(),
): Pick<Trace, 'outputs' | 'values'> {
  return writeGraph(b, model, inputs, new Map([...initializers, ...others]), {});
}

function writeGraph(
  b: Ops,
  model: Model,
  inputs: ReadonlyMap<string, Value>,
  initializers: ReadonlyMap<string, Value>,
  { lift, lower }: { readonly lift?: Lift; readonly lower?: boolean },
): Pick<Trace, 'outputs' | 'values'> {
  const values = new Map([...inputs, ...initializers]);
  const context: WriteContext = {
    b,
    ...(lift ? { lift } : {}),
    opsets: model.opsets,
    lowerings: lower === false ? [] : LOWERINGS,
    problems: [],
    unrolled: { nodes: 0 },
  };
  writeNodes(context, model.graph, values, { get: (name) => values.get(name) });
  if (context.problems.length > 0) {
    throw new GlacisError(
      'model/unsupported-operator',
      `expected operators that Glacis knows, got ${context.problems.length} that it does not:\n  ${context.problems.join('\n  ')}`,
    );
  }
  const outputs = new Map<string, Value>();
  for (const { name, type } of model.graph.outputs) {
    const value = values.get(name);
    if (!value) throw new GlacisError('model/invalid', `output ${name}: no node makes it`);
    // Lowered quantised numbers are floats: outputs keep the type that the file states.
    const restored = type.kind === 'tensor' && isInteger(type.dtype) && isFloat(value.dtype);
    outputs.set(name, restored ? b.cast(value, type.dtype) : value);
  }
  return { outputs, values };
}

/** Writes the nodes of `graph` into the builder; `values` takes their results. */
export function writeNodes(
  context: WriteContext,
  graph: Pick<Graph, 'nodes'>,
  values: Map<string, Value>,
  scope: Scope,
): void {
  for (const node of graph.nodes) {
    const results = writeNode(context, node, scope);
    if (!results) continue;
    for (const [i, name] of node.outputs.entries()) {
      const value = results[i];
      if (name !== '' && value) values.set(name, value);
    }
  }
}

function writeNode(context: WriteContext, node: Node, scope: Scope): readonly (Value | null)[] | undefined {
  const { b, lift } = context;
  const where = node.name || node.outputs[0] || node.op;
  let inputs: (Value | null)[] = [];
  for (const name of node.inputs) {
    if (name === '') inputs.push(null);
    else {
      const value = scope.get(name);
      if (!value) {
        // A node before it was reported already; do not report its users too.
        if (context.problems.length > 0) return undefined;
        throw new GlacisError('model/invalid', `${where}: its input '${name}' is not defined`);
      }
      inputs.push(value);
    }
  }
  try {
    const lifted = lift && liftNode(b, lift, node, inputs);
    if (lifted && 'results' in lifted) return lifted.results;
    if (lifted) inputs = [...lifted.inputs];
    const results =
      unrollControlFlow(context, node, inputs, scope) ?? writeOperator(context, node, inputs, where);
    if (lift) checkLifted(lift, node, inputs, results);
    return results;
  } catch (error) {
    if (error instanceof GlacisError && error.code === 'model/unsupported-operator') {
      context.problems.push(error.message);
      return undefined;
    }
    if (lift && error instanceof GlacisError && error.code === 'model/invalid')
      refuse(node, error.message, error);
    throw error;
  }
}

/** Adds a node: in the build opset's form, as primitives, or as it stands. */
function writeOperator(
  context: WriteContext,
  node: Node,
  inputs: readonly (Value | null)[],
  where: string,
): readonly (Value | null)[] {
  const { b } = context;
  const opset = context.opsets.get(node.domain) ?? 1;
  const lowerContext: LowerContext = {
    b,
    node: { ...node, name: where },
    attrs: attributesOf(node),
    inputs,
    outputs: node.outputs.length,
    opset,
    input: (i) => {
      const value = inputs[i];
      if (!value)
        throw new GlacisError('model/invalid', `${where}: expected input ${i} of ${node.op}, found none`);
      return value;
    },
    has: (i) => Boolean(inputs[i]),
  };
  for (const rules of [UPGRADES, context.lowerings]) {
    const lowered = findLowering(rules, node.domain, node.op, opset)?.lower(lowerContext);
    if (lowered) return lowered;
  }
  return b.builder.addNode(node.op, inputs, node.attributes, {
    domain: node.domain,
    outputs: node.outputs.length,
    name: where,
  });
}

/** What lifting needs, when it is asked for and there is something to lift. */
function liftOf(model: Model, options: SpecialiseOptions): Lift | undefined {
  if (options.liftFrom === undefined) return undefined;
  const inputDims = options.inputDims;
  const batch = options.batch ?? Object.values(inputDims ?? {})[0]?.[0];
  if (batch === undefined)
    throw new GlacisError('option/invalid', 'liftFrom: expected a batch to lift to, found none');
  const single = Object.fromEntries(
    Object.entries(inputDims ?? {}).map(([name, dims]) => [name, [1, ...dims.slice(1)]]),
  );
  const { liftFrom: _, ...rest } = options;
  const reference = specialise(model, {
    ...rest,
    batch: 1,
    lower: false,
    ...(inputDims ? { inputDims: single } : {}),
  });
  return batch === 1 ? undefined : { batch, reference: reference.values, inner: new Set() };
}

/** The static shape of an input under `options`. */
function staticDims(name: string, dims: readonly Dim[] | undefined, options: SpecialiseOptions): number[] {
  const given = own(options.inputDims, name);
  if (given) {
    for (const size of given) checkSize(`input ${name}`, size);
    const fits =
      dims === undefined ||
      (dims.length === given.length &&
        dims.every((d, i) => typeof d !== 'number' || d === given[i] || (i === 0 && d === options.liftFrom)));
    if (!fits)
      throw new GlacisError(
        'data/mismatch',
        `input ${name}: expected [${dims?.map((d) => d ?? '?').join(', ')}], got [${given.join(', ')}]`,
      );
    return [...given];
  }
  if (dims === undefined)
    throw new GlacisError(
      'model/dynamic-shape',
      `input ${name}: expected a shape in the file, found none; give its dimensions`,
    );
  const fixed = dims.map((d, i) => {
    if (typeof d === 'number' && !(i === 0 && d === options.liftFrom)) return d;
    const size =
      (typeof d === 'string' ? own(options.symbols, d) : undefined) ?? (i === 0 ? options.batch : undefined);
    if (size === undefined)
      throw new GlacisError(
        'model/dynamic-shape',
        `input ${name}: expected a size for dimension ${i} (${d ?? 'unnamed'}), found none; give it`,
      );
    checkSize(`input ${name}, dimension ${i}`, size);
    return size;
  });
  return fixed;
}

/** The entry of `name`; names come from the file and may be those of members that every object has. */
function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined;
}

function checkSize(where: string, size: number): void {
  if (!Number.isSafeInteger(size) || size < 0)
    throw new GlacisError('option/invalid', `${where}: expected a size of at least 0, got ${size}`);
}
