import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import { randomFrom } from '../core/random.ts';
import { type AttributeInput, attributesFrom } from '../onnx/attributes.ts';
import type { DType } from '../onnx/dtype.ts';
import type { Dim, Model, Node } from '../onnx/model.ts';
import { elementCount, numbersOf, type Tensor, tensorFrom } from '../onnx/tensor.ts';
import { serializeModel } from '../onnx/write.ts';
import { type SpecialiseOptions, specialise } from './specialise.ts';

/** One operator call: inputs are graph inputs unless they are named constants. */
export interface OneNode {
  readonly op: string;
  readonly domain?: string;
  /** Opset of ai.onnx; other domains have version 1. */
  readonly opset: number;
  readonly inputs: readonly (Tensor | null)[];
  /** Which inputs are initializers; all others are fed. */
  readonly constant?: readonly number[];
  readonly attributes?: Readonly<Record<string, AttributeInput>>;
  readonly outputs?: number;
  /** Types of the outputs: float32 unless given. */
  readonly types?: readonly DType[];
}

/** Uniform random float32 in `[low, high)`. */
export function randomTensor(
  seed: string,
  dims: readonly number[],
  low = -1,
  high = 1,
  dtype: DType = 'float32',
): Tensor {
  const rng = randomFrom(1, seed);
  return tensorFrom(
    dtype,
    dims,
    Array.from({ length: elementCount(dims) }, () => low + (high - low) * rng.uniform()),
  );
}

/** The call as a model. */
export function oneNodeModel(call: OneNode): Model {
  const constant = new Set(call.constant ?? []);
  const outputs = Array.from({ length: call.outputs ?? 1 }, (_, i) => `y${i}`);
  const node: Node = {
    op: call.op,
    domain: call.domain ?? '',
    name: 'it',
    inputs: call.inputs.map((t, i) => (t ? `x${i}` : '')),
    outputs,
    attributes: attributesFrom(call.attributes ?? {}),
  };
  const given = call.inputs.flatMap((t, i) => (t ? [{ name: `x${i}`, t, constant: constant.has(i) }] : []));
  return {
    irVersion: 8,
    opsets: new Map([['', call.opset], ...(call.domain ? [[call.domain, 1] as const] : [])]),
    graph: {
      name: 'one',
      inputs: given
        .filter((g) => !g.constant)
        .map(({ name, t }) => ({ name, type: { kind: 'tensor', dtype: t.dtype, dims: t.dims as Dim[] } })),
      outputs: outputs.map((name, i) => ({
        name,
        type: { kind: 'tensor', dtype: call.types?.[i] ?? 'float32', dims: undefined },
      })),
      initializers: new Map(given.filter((g) => g.constant).map(({ name, t }) => [name, t])),
      nodes: [node],
      valueTypes: new Map(),
    },
    functions: [],
    producer: 'test',
    metadata: new Map(),
  };
}

/** One output of a run. */
export interface Result {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: number[];
}

/** Opens a model in ONNX Runtime, unoptimised; `run` takes tensors by input name and gives all outputs. */
export async function openModel(model: Model): Promise<{
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Result>>;
  close(): Promise<void>;
}> {
  const session = await InferenceSession.create(serializeModel(model), {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  return {
    async run(feeds) {
      const results = await session.run(
        Object.fromEntries(
          session.inputNames.map((name) => {
            const t = feeds[name]!;
            return [name, new RuntimeTensor(t.dtype as 'float32', runtimeData(t) as Float32Array, t.dims)];
          }),
        ),
      );
      return Object.fromEntries(
        Object.entries(results).map(([name, t]) => [
          name,
          { type: t.type, dims: t.dims, data: Array.from(t.data as ArrayLike<number>, Number) },
        ]),
      );
    },
    close: () => session.release(),
  };
}

/** Runs a model once. */
export async function runModel(
  model: Model,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Result>> {
  const session = await openModel(model);
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
}

function runtimeData(t: Tensor): unknown {
  if (t.dtype === 'int64') return BigInt64Array.from(numbersOf(t), (v) => BigInt(v));
  return numbersOf(t).slice();
}

/** The specialised form of `model` with the outputs `y…` renamed `z…`, and its operators. */
export function specialised(
  model: Model,
  options: SpecialiseOptions = {},
): { model: Model; ops: readonly string[] } {
  const trace = specialise(model, options);
  const built = trace.b.builder.build(
    Object.fromEntries([...trace.outputs].map(([name, value]) => [`${name}_new`, value])),
  );
  return { model: built, ops: built.graph.nodes.map((n) => n.op) };
}

/** Runs the call as it stands and specialised; gives both results, output by output, and the operators written. */
export async function bothWays(
  call: OneNode,
  options: SpecialiseOptions = {},
): Promise<{
  before: Result[];
  after: Result[];
  ops: readonly string[];
}> {
  const model = oneNodeModel(call);
  const feeds = Object.fromEntries(call.inputs.flatMap((t, i) => (t ? [[`x${i}`, t]] : [])));
  const built = specialised(model, options);
  const names = model.graph.outputs.map((o) => o.name);
  const before = await runModel(model, feeds);
  const after = await runModel(built.model, feeds);
  return {
    before: names.map((n) => before[n]!),
    after: names.map((n) => after[`${n}_new`]!),
    ops: built.ops,
  };
}

/** The largest difference of two results, relative to the largest value (at least 1); NaN only where both have it. */
export function distance(a: Pick<Result, 'data'>, b: Pick<Result, 'data'>): number {
  if (a.data.length !== b.data.length) return Number.POSITIVE_INFINITY;
  let far = 0;
  let scale = 1;
  for (const [i, x] of a.data.entries()) {
    const y = b.data[i]!;
    if (Object.is(x, y) || x === y) continue;
    if (!Number.isFinite(x) || !Number.isFinite(y)) return Number.POSITIVE_INFINITY;
    far = Math.max(far, Math.abs(x - y));
    scale = Math.max(scale, Math.abs(x));
  }
  return far / scale;
}
