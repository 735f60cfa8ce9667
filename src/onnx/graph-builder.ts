import { GlacisError } from '../core/error.ts';
import { type AttributeInput, attributesFrom } from './attributes.ts';
import type { DType } from './dtype.ts';
import { foldNode } from './fold/fold.ts';
import { foldShapeOf } from './fold/shape-of.ts';
import { type BuiltNode, factsOf, makeValue, type Value } from './graph-value.ts';
import { INTERNAL_DOMAIN, type OfferedOperator } from './internal-operators.ts';
import type { Attribute, Dim, Model, Node } from './model.ts';
import { type BuildOptions, modelOf } from './model-of.ts';
import { nodeKey } from './node-key.ts';
import { RANDOM_OPERATORS } from './random-operators.ts';
import { inferNode } from './shape/infer.ts';
import { elementCount, type Tensor } from './tensor.ts';
import { trimmedInputs } from './trim-inputs.ts';

export type { BuiltNode, Value } from './graph-value.ts';

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

/** Type of an output, as far as it is known. */
interface OutputType {
  readonly dtype: DType;
  readonly dims: readonly Dim[] | undefined;
}

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
    const types = options.types ?? this.#typesOf(draft, inputs, count);
    const measured = inputs[0]?.isStatic ? foldShapeOf(draft, inputs[0].dims) : undefined;
    if (measured) return [this.constant(measured)];
    const folded = this.#folded(draft, inputs, types.slice(0, count));
    if (folded) {
      const values = folded.map((tensor) => this.constant(tensor));
      if (key !== undefined) this.#byKey.set(key, values);
      return values;
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

  /** Types of a node's outputs by its operator's shape rule. Errors: as {@link add}. */
  #typesOf(draft: Node, inputs: readonly (Value | null)[], count: number): readonly OutputType[] {
    const facts = inputs.map((v) => (v === null ? undefined : factsOf(v)));
    const { op, domain, name } = draft;
    const version = this.opsets.get(domain) ?? 1;
    const types = inferNode({ ...draft, outputs: new Array(count).fill('?') }, facts, version);
    if (types) return types;
    throw new GlacisError(
      'model/unsupported-operator',
      `${name}: no shape rule for ${domain === '' ? '' : `${domain}.`}${op}`,
    );
  }

  /** What a node of constants gives, where that is small. */
  #folded(
    draft: Node,
    inputs: readonly (Value | null)[],
    types: readonly OutputType[],
  ): readonly Tensor[] | undefined {
    if (RANDOM_OPERATORS.has(draft.op) || !inputs.every((v) => v === null || v.data !== undefined))
      return undefined;
    const isSmall = ({ dims }: OutputType) =>
      dims !== undefined && elementCount(dims.map((d) => (typeof d === 'number' ? d : 0))) <= FOLD_LIMIT;
    if (draft.op !== 'Constant' && !types.every(isSmall)) return undefined;
    const tensors = inputs.map((v) => v?.data);
    return foldNode(draft, tensors, this.opsets.get(draft.domain) ?? 1, types.length);
  }

  /**
   * The model that computes `outputs` (name to value), holding only what they need. Each goes through an `Identity`
   * that gives it its name, which the runtime removes. Inputs that nothing needs stay unless `dropUnusedInputs`.
   */
  build(outputs: Readonly<Record<string, Value>>, options: BuildOptions = {}): Model {
    return modelOf(
      {
        nodes: this.nodes,
        inputs: this.inputs,
        constants: this.#constants,
        opsets: this.opsets,
        isMade: (name) => this.#producers.has(name),
        freshName: (hint) => this.freshName(hint),
      },
      outputs,
      options,
    );
  }
}
