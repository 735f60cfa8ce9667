import { GlacisError } from '../core/error.ts';
import { type AttributeInput, attributesFrom } from './attributes.ts';
import type { DType } from './dtype.ts';
import { foldNode } from './fold/fold.ts';
import { foldShapeOf } from './fold/shape-of.ts';
import type { Attribute, Dim, Model, Node, ValueInfo } from './model.ts';
import { inferNode } from './shape/infer.ts';
import { elementCount, type Tensor } from './tensor.ts';
import { trimmedInputs } from './trim-inputs.ts';

/** A value of a graph under construction. Its shape is static: reading `dims` of a value without one throws `model/dynamic-shape`. */
export interface Value {
  readonly name: string;
  readonly dtype: DType;
  /** Sizes of all axes. */
  readonly dims: readonly number[];
  /** Whether `dims` is known. */
  readonly isStatic: boolean;
  /** The value itself, when it is a constant. */
  readonly data: Tensor | undefined;
}

/** A node of a graph under construction with its values resolved. */
export interface BuiltNode {
  readonly node: Node;
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly Value[];
}

/** Where a node comes from, and how it is called. */
export interface AddOptions {
  /** `''` (ai.onnx) unless given. */
  readonly domain?: string;
  /** Number of outputs, 1 unless given. */
  readonly outputs?: number;
  /** Name of the node, for messages and profiles. */
  readonly name?: string;
  /** Output types, where no shape rule exists for the operator. */
  readonly types?: readonly { readonly dtype: DType; readonly dims: readonly number[] }[];
}

/** The opset that transforms write: the last one whose operators ONNX Runtime's optimisers all know. */
export const BUILD_OPSET = 21;

/**
 * Domain of operators that exist only while a graph is built: they name a convention of a gradient, and
 * {@link GraphBuilder.build} writes them as the standard operators of {@link INTERNAL_OPERATORS}.
 */
export const INTERNAL_DOMAIN = 'glacis.internal';

/**
 * `FirstMax`: the maximum, of which the first of equal values gets the gradient. `PooledMax`: the same of the corners of an image, which
 * is its last input and gets the gradient in their place.
 */
const INTERNAL_OPERATORS: ReadonlyMap<string, string> = new Map([
  ['FirstMax', 'Max'],
  ['PooledMax', 'Max'],
]);

/** A node as it is computed: without inputs that only its gradient asks for. */
export function computed(built: BuiltNode): BuiltNode {
  const { node, inputs } = built;
  if (node.domain !== INTERNAL_DOMAIN || node.op !== 'PooledMax') return built;
  return {
    ...built,
    node: { ...node, op: 'FirstMax', inputs: node.inputs.slice(0, -1) },
    inputs: inputs.slice(0, -1),
  };
}

/** Operators of the internal domain that nothing writes out: they only say what a value is (see {@link GraphBuilder.offer}). */
export type OfferedOperator = 'ConvWeightGradient' | 'ChannelSums';

/** Operators of ai.onnx that give something else each time (`Dropout` in training only): never merged, never folded. */
export const RANDOM_OPERATORS: ReadonlySet<string> = new Set([
  'RandomNormal',
  'RandomUniform',
  'RandomNormalLike',
  'RandomUniformLike',
  'Multinomial',
  'Bernoulli',
  'Dropout',
]);

/** Results above this many elements are not computed at build time; the runtime folds them itself. */
const FOLD_LIMIT = 1 << 16;

/**
 * Builds a graph node by node with static shapes. Nodes whose inputs are small constants are computed on the spot, and
 * equal nodes are made once (hash-consing), so that a transform may write what is simplest and still produce no
 * duplicate or constant work; nodes that no output needs are dropped by {@link GraphBuilder.build}.
 */
export class GraphBuilder {
  readonly opsets: Map<string, number>;
  readonly nodes: BuiltNode[] = [];
  readonly inputs: Value[] = [];
  /** What {@link offer} stated, by the value's name. */
  readonly offers = new Map<string, BuiltNode>();
  readonly #constants = new Map<string, Tensor>();
  readonly #constantsByContent = new Map<string, Value>();
  readonly #byKey = new Map<string, readonly Value[]>();
  readonly #names = new Set<string>(['']);
  readonly #producers = new Map<string, BuiltNode>();
  #counter = 0;

  constructor(opset: number = BUILD_OPSET) {
    this.opsets = new Map([['', opset]]);
  }

  /** A fresh value name, readable where possible. */
  freshName(hint: string): string {
    let name = hint;
    while (name === '' || this.#names.has(name)) name = `${hint}_${this.#counter++}`;
    this.#names.add(name);
    return name;
  }

  /** Declares a graph input of a static shape. */
  input(name: string, dtype: DType, dims: readonly number[]): Value {
    const value = makeValue(this.freshName(name), dtype, dims, undefined);
    this.inputs.push(value);
    return value;
  }

  /** A constant; small equal ones are shared. `name` is kept where it is free. */
  constant(tensor: Tensor, name?: string): Value {
    const key =
      tensor.data.byteLength <= 4096 && !tensor.strings && !tensor.external
        ? `${tensor.dtype}[${tensor.dims}]${Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength).toString('base64')}`
        : undefined;
    if (key !== undefined && name === undefined) {
      const known = this.#constantsByContent.get(key);
      if (known) return known;
    }
    const value = makeValue(this.freshName(name ?? 'c'), tensor.dtype, tensor.dims, tensor);
    this.#constants.set(value.name, tensor);
    if (key !== undefined) this.#constantsByContent.set(key, value);
    return value;
  }

  /** The node that makes `value`; `undefined` for inputs and constants. */
  producer(value: Value): BuiltNode | undefined {
    return this.#producers.get(value.name);
  }

  /**
   * States that `value`, which nodes make as it stands, is what one operator would give. A later rewriting of the graph may make it
   * in a way of its own (a layout knows quicker ones); {@link build} does not look at it.
   */
  offer(
    value: Value,
    op: OfferedOperator,
    inputs: readonly Value[],
    attributes: Readonly<Record<string, AttributeInput>> = {},
  ): Value {
    const names = inputs.map((v) => v.name);
    const node: Node = {
      op,
      domain: INTERNAL_DOMAIN,
      name: op,
      inputs: names,
      outputs: [value.name],
      attributes: attributesFrom(attributes),
    };
    this.offers.set(value.name, { node, inputs, outputs: [value] });
    return value;
  }

  /**
   * Adds a node and gives its outputs. Errors: `model/invalid` when shapes contradict the operator,
   * `model/unsupported-operator` when no shape rule exists and `types` is not given.
   */
  add(
    op: string,
    inputs: readonly (Value | null)[],
    attributes: Readonly<Record<string, AttributeInput>> = {},
    options: AddOptions = {},
  ): readonly Value[] {
    return this.addNode(op, inputs, attributesFrom(attributes), options);
  }

  /** Like {@link add}, with attributes as they stand in a file. */
  addNode(
    op: string,
    inputs: readonly (Value | null)[],
    attributes: ReadonlyMap<string, Attribute>,
    options: AddOptions = {},
  ): readonly Value[] {
    const domain = options.domain ?? '';
    const count = options.outputs ?? 1;
    if (domain !== '' && !this.opsets.has(domain)) this.opsets.set(domain, 1);
    const key = RANDOM_OPERATORS.has(op) ? undefined : nodeKey(op, domain, inputs, attributes, count);
    if (key !== undefined) {
      const same = this.#byKey.get(key);
      if (same) return same;
    }
    const draft: Node = {
      op,
      domain,
      name: options.name ?? op,
      inputs: trimmedInputs(inputs.map((v) => v?.name ?? '')),
      outputs: [],
      attributes,
    };
    const facts = inputs.map((v) => (v === null ? undefined : factsOf(v)));
    const types =
      options.types ??
      inferNode({ ...draft, outputs: new Array(count).fill('?') }, facts, this.opsets.get(domain) ?? 1);
    if (types === undefined) {
      throw new GlacisError(
        'model/unsupported-operator',
        `${draft.name}: no shape rule for ${domain === '' ? '' : `${domain}.`}${op}`,
      );
    }
    const measured = inputs[0]?.isStatic ? foldShapeOf(draft, inputs[0].dims) : undefined;
    if (measured) return [this.constant(measured)];
    if (!RANDOM_OPERATORS.has(op) && inputs.every((v) => v === null || v.data !== undefined)) {
      const small =
        op === 'Constant' ||
        types
          .slice(0, count)
          .every(
            (t) =>
              t.dims !== undefined &&
              elementCount(t.dims.map((d) => (typeof d === 'number' ? d : 0))) <= FOLD_LIMIT,
          );
      const folded = small
        ? foldNode(
            draft,
            inputs.map((v) => v?.data),
            this.opsets.get(domain) ?? 1,
            count,
          )
        : undefined;
      if (folded) {
        const values = folded.map((t) => this.constant(t));
        if (key !== undefined) this.#byKey.set(key, values);
        return values;
      }
    }
    const name = this.freshName(options.name ?? op);
    const outputs = Array.from({ length: count }, (_, i) => {
      const type = types[i];
      if (!type)
        throw new GlacisError(
          'model/invalid',
          `${name}: ${op} has ${types.length} outputs, ${count} were asked for`,
        );
      return makeValue(
        this.freshName(i === 0 ? `${name}_out` : `${name}_out${i}`),
        type.dtype,
        type.dims,
        undefined,
      );
    });
    const node: Node = { ...draft, name, outputs: outputs.map((v) => v.name) };
    const built: BuiltNode = { node, inputs: [...inputs], outputs };
    this.nodes.push(built);
    for (const v of outputs) this.#producers.set(v.name, built);
    if (key !== undefined) this.#byKey.set(key, outputs);
    return outputs;
  }

  /**
   * The model that computes `outputs` (name to value), holding only what they need. Each goes through an `Identity`
   * that gives it its name, which the runtime removes. Inputs that nothing needs stay unless `dropUnusedInputs`.
   */
  build(
    outputs: Readonly<Record<string, Value>>,
    options: { readonly name?: string; readonly dropUnusedInputs?: boolean } = {},
  ): Model {
    const results: { name: string; value: Value }[] = Object.entries(outputs).map(([name, value]) => ({
      name,
      value,
    }));
    const needed = new Set(results.map((r) => r.value.name));
    const kept: BuiltNode[] = [];
    for (let i = this.nodes.length - 1; i >= 0; i--) {
      const n = computed(this.nodes[i]!);
      if (!n.outputs.some((v) => needed.has(v.name))) continue;
      kept.push(n);
      for (const v of n.inputs) if (v) needed.add(v.name);
    }
    kept.reverse();
    const clash = this.inputs.find((v) => Object.hasOwn(outputs, v.name));
    if (clash)
      throw new GlacisError(
        'model/invalid',
        `build: '${clash.name}' names an input and an output; rename the input`,
      );
    // A node gives an output under its name, once; inner values that have that name step aside.
    const named = new Map<string, string>();
    for (const { name, value } of results)
      if (this.#producers.has(value.name) && !named.has(value.name)) named.set(value.name, name);
    const direct = new Set(named.values());
    for (const { name } of results)
      if ((this.#constants.has(name) || this.#producers.has(name)) && !named.has(name))
        named.set(name, this.freshName(name));
    const now = (name: string) => named.get(name) ?? name;
    const nodes: Node[] = kept.map(({ node }) => {
      const plain = written(node);
      return { ...plain, inputs: plain.inputs.map(now), outputs: plain.outputs.map(now) };
    });
    const nodeNames = new Set(nodes.map((n) => n.name));
    const infos: ValueInfo[] = [];
    for (const { name, value } of results) {
      const dims = value.isStatic ? value.dims : undefined;
      infos.push({ name, type: { kind: 'tensor', dtype: value.dtype, dims } });
      if (direct.has(name)) continue;
      // An input, a constant, or a value that is an output already. A model that was built here before has such a node already.
      let nodeName = `to_${name}`;
      while (nodeNames.has(nodeName)) nodeName += '_';
      nodeNames.add(nodeName);
      const attributes = new Map<string, Attribute>();
      nodes.push({
        op: 'Identity',
        domain: '',
        name: nodeName,
        inputs: [now(value.name)],
        outputs: [name],
        attributes,
      });
    }
    const initializers = new Map<string, Tensor>();
    for (const [name, tensor] of this.#constants) if (needed.has(name)) initializers.set(now(name), tensor);
    const inputs = this.inputs
      .filter((v) => !options.dropUnusedInputs || needed.has(v.name))
      .map((v): ValueInfo => ({ name: v.name, type: { kind: 'tensor', dtype: v.dtype, dims: v.dims } }));
    return {
      irVersion: 10,
      opsets: new Map([...this.opsets].filter(([domain]) => domain !== INTERNAL_DOMAIN)),
      graph: {
        name: options.name ?? 'glacis',
        inputs,
        outputs: infos,
        initializers,
        nodes,
        valueTypes: new Map(),
      },
      functions: [],
      producer: 'glacis',
      metadata: new Map(),
    };
  }
}

function factsOf(value: Value): { dtype: DType; dims: readonly Dim[] | undefined; data: Tensor | undefined } {
  return { dtype: value.dtype, dims: value.isStatic ? value.dims : undefined, data: value.data };
}

function makeValue(
  name: string,
  dtype: DType,
  dims: readonly Dim[] | undefined,
  data: Tensor | undefined,
): Value {
  const fixed = dims?.every((d) => typeof d === 'number') ? (dims as readonly number[]) : undefined;
  return Object.freeze({
    name,
    dtype,
    isStatic: fixed !== undefined,
    data,
    get dims(): readonly number[] {
      if (fixed) return fixed;
      throw new GlacisError(
        'model/dynamic-shape',
        `${name}: its shape depends on the data and is not known before the model runs`,
      );
    },
  });
}

function nodeKey(
  op: string,
  domain: string,
  inputs: readonly (Value | null)[],
  attributes: ReadonlyMap<string, Attribute>,
  count: number,
): string | undefined {
  const parts = [domain, op, String(count), inputs.map((v) => v?.name ?? '').join('\u0001')];
  for (const [name, a] of [...attributes].sort(([x], [y]) => (x < y ? -1 : 1))) {
    if (a.kind === 'tensor') {
      if (a.value.data.byteLength > 4096) return undefined;
      parts.push(`${name}=${a.value.dtype}[${a.value.dims}]${Buffer.from(a.value.data).toString('base64')}`);
    } else if (a.kind === 'graph' || a.kind === 'graphs' || a.kind === 'tensors' || a.kind === 'opaque')
      return undefined;
    else parts.push(`${name}=${a.kind}:${JSON.stringify(a.value)}`);
  }
  return parts.join('\u0002');
}

/** A node as the runtime knows it. */
function written(node: Node): Node {
  if (node.domain !== INTERNAL_DOMAIN) return node;
  return { ...node, domain: '', op: INTERNAL_OPERATORS.get(node.op)! };
}
