import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';
import type { Model } from '../onnx/model.ts';
import { elementCount, numbersOf, type Tensor } from '../onnx/tensor.ts';
import { f32, type HostTensor } from './array.ts';
import type { Engine } from './engine.ts';

/** The model exactly as it is deployed: inputs in, outputs out, nothing stripped, lifted or rewritten. */
export interface Predictor {
  /** Outputs `[n, K]` of `n` samples, row-major. Errors: `data/mismatch`, `run/failed`, `run/cancelled`. */
  predict(x: Float32Array, n: number, signal?: AbortSignal): Promise<Float32Array>;
  close(): Promise<void>;
}

/** How {@link openPredictor} calls the model. */
export interface PredictorOptions {
  readonly input: string;
  readonly output: string;
  readonly sampleDims: readonly number[];
  readonly batch: number;
  /** Values of the other inputs: with batch size 1 they are repeated, otherwise they are taken as they are. */
  readonly fixed?: Readonly<Record<string, Tensor>>;
}

/** Opens the deployed model. A model whose batch size is fixed is run at that size, the last batch filled up. */
export async function openPredictor(
  engine: Engine,
  model: Model,
  options: PredictorOptions,
): Promise<Predictor> {
  const session = await engine.open(model);
  const size = elementCount(options.sampleDims);
  const info = model.graph.inputs.find((i) => i.name === options.input);
  const first = info?.type.kind === 'tensor' ? info.type.dims?.[0] : undefined;
  const fixedBatch = typeof first === 'number' ? first : undefined;
  return {
    async predict(x, n, signal) {
      const parts: Float32Array[] = [];
      const batch = fixedBatch ?? Math.max(1, Math.min(options.batch, n));
      for (let at = 0; at < n; at += batch) {
        throwIfCancelled(signal, 'prediction');
        const count = Math.min(batch, n - at);
        const rows = fixedBatch ?? count;
        const data = new Float32Array(rows * size);
        data.set(x.subarray(at * size, (at + count) * size));
        const feeds: Record<string, HostTensor> = {
          [options.input]: f32(data, [rows, ...options.sampleDims]),
        };
        for (const [name, tensor] of Object.entries(options.fixed ?? {}))
          feeds[name] = repeated(tensor, rows);
        const out = (await session.run(feeds, { fetches: [options.output], transfer: false }))[
          options.output
        ]!;
        if (out.data.length % rows !== 0)
          throw new GlacisError(
            'data/mismatch',
            `output ${options.output}: expected a row for each of ${rows} samples, got [${out.dims.join(', ')}]`,
          );
        const k = out.data.length / rows;
        parts.push(Float32Array.from(out.data as Float32Array).subarray(0, count * k));
      }
      const whole = new Float32Array(parts.reduce((sum, p) => sum + p.length, 0));
      let to = 0;
      for (const p of parts) {
        whole.set(p, to);
        to += p.length;
      }
      return whole;
    },
    close: () => session.close(),
  };
}

function repeated(tensor: Tensor, rows: number): HostTensor {
  const data = numbersOf(tensor);
  const dtype = tensor.dtype;
  const wrap = (values: number[] | typeof data, dims: readonly number[]): HostTensor => {
    if (dtype === 'int64') return { dtype, dims, data: BigInt64Array.from(values, (v) => BigInt(v)) };
    if (dtype === 'bool' || dtype === 'uint8') return { dtype, dims, data: Uint8Array.from(values) };
    if (dtype === 'int32') return { dtype, dims, data: Int32Array.from(values) };
    if (dtype === 'float64') return { dtype, dims, data: Float64Array.from(values) };
    return { dtype: 'float32', dims, data: Float32Array.from(values) };
  };
  if (tensor.dims[0] !== 1 || rows === 1) return wrap(data, tensor.dims);
  const many = new Float64Array(data.length * rows);
  for (let r = 0; r < rows; r++) many.set(data, r * data.length);
  return wrap(Array.from(many), [rows, ...tensor.dims.slice(1)]);
}
