import { byteLength, type DType } from './dtype.ts';
import { mapTensors } from './map-model.ts';
import type { Dim, Model, ValueInfo } from './model.ts';
import { elementCount } from './tensor.ts';
import { allGraphs, allNodes } from './walk.ts';

/** An input or output, as plain data. */
export interface DescribedValue {
  readonly name: string;
  /** Element type, or what else it is (`sequence`, `optional`, `unknown`, …). */
  readonly type: DType | string;
  /** Sizes, names of symbolic sizes, `null` for unknown ones; `null` instead of a list when not even the rank is known. */
  readonly dims: readonly Dim[] | null;
}

/** How often an operator appears. */
export interface OperatorCount {
  /** `ai.onnx` for the standard operators. */
  readonly domain: string;
  readonly op: string;
  readonly count: number;
}

/** What a model consists of, as plain JSON-safe data. */
export interface ModelDescription {
  readonly schema: 'glacis.model/1';
  readonly producer: string;
  readonly irVersion: number;
  /** Version by domain. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly DescribedValue[];
  readonly outputs: readonly DescribedValue[];
  /** Nodes in all graphs and function bodies; a function's are counted once, however often it is called. */
  readonly nodes: number;
  /** Most frequent first, then by name. */
  readonly operators: readonly OperatorCount[];
  /** Graphs inside nodes, at any depth. */
  readonly subgraphs: number;
  /** Model-local functions, as `domain.name`. */
  readonly functions: readonly string[];
  /** Elements of all initializers, in subgraphs too: what is usually called the parameter count. */
  readonly parameters: number;
  /** Bytes of every tensor: in the file, outside, and by element type. */
  readonly bytes: {
    readonly embedded: number;
    readonly external: number;
    readonly byType: Readonly<Record<string, number>>;
  };
  /** Files with external data, as the model names them. Attacker-controlled. */
  readonly externalFiles: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Describes a model for people and machines; external tensors need not be loaded. Cost: one walk over the nodes. */
export function describeModel(model: Model): ModelDescription {
  const counts = new Map<string, { domain: string; op: string; count: number }>();
  let nodes = 0;
  for (const body of [model.graph.nodes, ...model.functions.map((f) => f.nodes)]) {
    for (const { domain, op } of allNodes(body)) {
      nodes++;
      const key = JSON.stringify([domain, op]);
      const entry = counts.get(key) ?? { domain: domain || 'ai.onnx', op, count: 0 };
      entry.count++;
      counts.set(key, entry);
    }
  }
  let subgraphs = -1;
  let parameters = 0;
  for (const graph of allGraphs(model.graph)) {
    subgraphs++;
    for (const tensor of graph.initializers.values()) parameters += elementCount(tensor.dims);
  }
  return {
    schema: 'glacis.model/1',
    producer: model.producer,
    irVersion: model.irVersion,
    opsets: record([...model.opsets].map(([domain, version]) => [domain || 'ai.onnx', version])),
    inputs: model.graph.inputs.map(describeValue),
    outputs: model.graph.outputs.map(describeValue),
    nodes,
    operators: [...counts.values()].sort(
      (a, b) => b.count - a.count || compare(a.op, b.op) || compare(a.domain, b.domain),
    ),
    subgraphs,
    functions: model.functions.map((f) => (f.domain === '' ? f.name : `${f.domain}.${f.name}`)),
    parameters,
    ...describeTensors(model),
    metadata: record([...model.metadata]),
  };
}

/** An object whose keys come from the file: `__proto__` is a key like any other. */
function record<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  return Object.fromEntries(entries);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function describeTensors(model: Model): Pick<ModelDescription, 'bytes' | 'externalFiles'> {
  let embedded = 0;
  let external = 0;
  const byType = new Map<string, number>();
  const files = new Set<string>();
  mapTensors(model, (tensor) => {
    const bytes =
      tensor.strings?.reduce((sum, text) => sum + Buffer.byteLength(text), 0) ??
      byteLength(tensor.dtype, elementCount(tensor.dims));
    byType.set(tensor.dtype, (byType.get(tensor.dtype) ?? 0) + bytes);
    if (tensor.external === undefined) embedded += bytes;
    else {
      external += bytes;
      files.add(tensor.external.location);
    }
    return tensor;
  });
  return { bytes: { embedded, external, byType: record([...byType]) }, externalFiles: [...files].sort() };
}

function describeValue({ name, type }: ValueInfo): DescribedValue {
  return type.kind === 'tensor'
    ? { name, type: type.dtype, dims: type.dims ?? null }
    : { name, type: type.description, dims: null };
}
