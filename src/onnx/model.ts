import type { DType } from './dtype.ts';
import type { Tensor } from './tensor.ts';

/** One dimension: a size, the name of a symbolic size, or `null` when nothing is known. */
export type Dim = number | string | null;

/** The type of a value. `dims: undefined` means that not even the rank is known. */
export type ValueType =
  | { readonly kind: 'tensor'; readonly dtype: DType; readonly dims: readonly Dim[] | undefined }
  /**
   * Sequences, optionals, maps and sparse tensors: kept for the message, never computed with. `proto` is the encoded
   * `TypeProto` (a `Uint8Array`), or `undefined` where the file states no type.
   */
  | { readonly kind: 'other'; readonly description: string; readonly proto: unknown };

/** A named value of a graph's interface. */
export interface ValueInfo {
  readonly name: string;
  readonly type: ValueType;
}

/** An attribute of a node. `int` values beyond ±2^53 saturate towards ±2^63, which ONNX uses for "to the end". */
export type Attribute =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'tensor'; readonly value: Tensor }
  | { readonly kind: 'graph'; readonly value: Graph }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensors'; readonly value: readonly Tensor[] }
  | { readonly kind: 'graphs'; readonly value: readonly Graph[] }
  /** Inside a model-local function: takes the calling node's attribute of that name. */
  | {
      readonly kind: 'reference';
      readonly value: string;
      /** Code of the attribute's type in `AttributeProto.AttributeType`, where the file states it. */
      readonly type?: number;
    }
  /** Sparse tensors and type protos: the encoded `AttributeProto` without its name (`Uint8Array`), written back unchanged. */
  | { readonly kind: 'opaque'; readonly value: unknown };

/** One operator call. An absent optional input or output is `''`. */
export interface Node {
  readonly op: string;
  /** `''` is the standard domain `ai.onnx`. */
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
  /** Overload of a model-local function, usually `''`. */
  readonly overload?: string;
}

/** A graph: nodes in topological order, each value assigned once. */
export interface Graph {
  readonly name: string;
  /** Without the initializers that old files repeat here. */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  readonly nodes: readonly Node[];
  /** Types of inner values as far as the file states them. A hint, never trusted. */
  readonly valueTypes: ReadonlyMap<string, ValueType>;
}

/** A function that the model file brings with it. */
export interface FunctionDefinition {
  readonly domain: string;
  readonly name: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Attributes without a default. */
  readonly attributes: readonly string[];
  /** Attributes with a default. */
  readonly attributeDefaults: ReadonlyMap<string, Attribute>;
  readonly nodes: readonly Node[];
  readonly opsets: ReadonlyMap<string, number>;
}

/** An ONNX model. */
export interface Model {
  readonly irVersion: number;
  /** Version by domain; `''` is `ai.onnx`. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: Graph;
  readonly functions: readonly FunctionDefinition[];
  readonly producer: string;
  readonly metadata: ReadonlyMap<string, string>;
}
