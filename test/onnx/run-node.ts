import { InferenceSession } from 'onnxruntime-node';
import { type AttributeInput, attributesFrom } from '../../src/onnx/attributes.ts';
import type { DType } from '../../src/onnx/dtype.ts';
import type { Model, Node } from '../../src/onnx/model.ts';
import type { Tensor } from '../../src/onnx/tensor.ts';
import { serializeModel } from '../../src/onnx/write.ts';

/** One operator call on constants. */
export interface NodeCall {
  readonly op: string;
  readonly domain?: string;
  readonly opset: number;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attributes?: Readonly<Record<string, AttributeInput>>;
  /** Number of outputs, 1 unless given. */
  readonly outputs?: number;
}

/** The call as a node with inputs `x0`, `x1`, … and outputs `y0`, `y1`, …. */
export function nodeOf(call: NodeCall): Node {
  return {
    op: call.op,
    domain: call.domain ?? '',
    name: call.op,
    inputs: call.inputs.map((t, i) => (t ? `x${i}` : '')),
    outputs: Array.from({ length: call.outputs ?? 1 }, (_, i) => `y${i}`),
    attributes: attributesFrom(call.attributes ?? {}),
  };
}

/**
 * What ONNX Runtime (unoptimised) gives for a call whose outputs have these types. Throws the runtime's own error when it
 * refuses the call.
 */
export async function runNode(call: NodeCall, types: readonly DType[]): Promise<Tensor[]> {
  const node = nodeOf(call);
  const initializers = new Map<string, Tensor>();
  call.inputs.forEach((t, i) => {
    if (t) initializers.set(`x${i}`, t);
  });
  const model: Model = {
    irVersion: 8,
    opsets: new Map([
      ['', call.domain ? 21 : call.opset],
      ...(call.domain ? [[call.domain, call.opset] as const] : []),
    ]),
    graph: {
      name: 'one',
      inputs: [],
      outputs: node.outputs.map((name, i) => ({
        name,
        type: { kind: 'tensor', dtype: types[i]!, dims: undefined },
      })),
      initializers,
      nodes: [node],
      valueTypes: new Map(),
    },
    functions: [],
    producer: 'test',
    metadata: new Map(),
  };
  const session = await InferenceSession.create(serializeModel(model), {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  try {
    const results = await session.run({});
    return node.outputs.map((name): Tensor => {
      const r = results[name]!;
      const dtype = r.type as DType;
      if (r.type === 'string')
        return { dtype, dims: r.dims, data: new Uint8Array(0), strings: r.data as string[] };
      const array = r.data as Float32Array;
      return {
        dtype,
        dims: r.dims,
        data: new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice(),
      };
    });
  } finally {
    await session.release();
  }
}
