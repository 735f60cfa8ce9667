import { InferenceSession, Tensor } from 'onnxruntime-node';
import { randomFrom } from '../core/random.ts';
import type { Model } from './model.ts';
import { elementCount } from './tensor.ts';
import { serializeModel } from './write.ts';

/** One output, as ONNX Runtime gives it. */
export interface RuntimeOutput {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

/** Runs a model or its bytes in ONNX Runtime on these float32 inputs. */
export async function runInRuntime(
  model: Model | Uint8Array,
  inputs: Readonly<Record<string, { readonly dims: readonly number[]; readonly data: Float32Array }>>,
): Promise<Record<string, RuntimeOutput>> {
  const bytes = model instanceof Uint8Array ? model : serializeModel(model);
  const session = await InferenceSession.create(bytes, {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  try {
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([name, { dims, data }]) => [name, new Tensor('float32', data, dims)]),
    );
    const outputs = await session.run(feeds);
    return Object.fromEntries(
      Object.entries(outputs).map(([name, t]) => [
        name,
        { type: t.type, dims: t.dims, data: Array.from(t.data as ArrayLike<number>, Number) },
      ]),
    );
  } finally {
    await session.release();
  }
}

/** Float32 inputs for a model, drawn from [0, 1) by name; symbolic sizes become 2. */
export function inputsFor(model: Model): Record<string, { dims: number[]; data: Float32Array }> {
  return Object.fromEntries(
    model.graph.inputs.map(({ name, type }) => {
      if (type.kind !== 'tensor' || type.dtype !== 'float32' || type.dims === undefined)
        throw new Error(`no input for ${name}`);
      const dims = type.dims.map((d) => (typeof d === 'number' ? d : 2));
      const rng = randomFrom(1, name);
      return [name, { dims, data: Float32Array.from({ length: elementCount(dims) }, () => rng.uniform()) }];
    }),
  );
}
