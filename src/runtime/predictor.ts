import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';
import type { Model } from '../onnx/model.ts';
import { elementCount, numbersOf, type Tensor } from '../onnx/tensor.ts';
import { f32, type HostTensor } from './array.ts';
import type { Engine } from './engine.ts';
import { type FixedInputs, fixedForBatch } from './fixed-input.ts';

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
  /** Values of the other inputs. */
  readonly fixed?: FixedInputs;
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
      if (x.length < n * size)
        throw new GlacisError(
          'data/mismatch',
          `input ${options.input}: expected ${n} samples of [${options.sampleDims.join(', ')}], got ${x.length} numbers`,
        );
      const parts: Float32Array[] = [];
      const batch = fixedBatch ?? Math.max(1, Math.min(options.batch, n));
      for (let at = 0; at < n; at += batch) {
        throwIfCancelled(signal, 'prediction');
        const count = Math.min(batch, n - at);
        const rows = fixedBatch ?? count;
        let data = x.subarray(at * size, (at + count) * size);
        if (rows > count) {
          data = new Float32Array(rows * size);
          data.set(x.subarray(at * size, (at + count) * size));
        }
        const feeds: Record<string, HostTensor> = {
          [options.input]: f32(data, [rows, ...options.sampleDims]),
        };
        for (const [name, tensor] of Object.entries(options.fixed ?? {}))
          feeds[name] = hosted(fixedForBatch(model, name, tensor, rows));
        const out = (await session.run(feeds, { fetches: [options.output], transfer: false }))[
          options.output
        ]!;
        if (out.data.length % rows !== 0)
          throw new GlacisError(
            'data/mismatch',
            `output ${options.output}: expected a row for each of ${rows} samples, got [${out.dims.join(', ')}]`,
          );
        const k = out.data.length / rows;
        parts.push(floatsOf(out).subarray(0, count * k));
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

/** The numbers of an output of any type, as float32. */
function floatsOf({ dtype, dims, data }: HostTensor): Float32Array {
  if (data instanceof Float32Array) return data;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return Float32Array.from(numbersOf({ dtype, dims, data: bytes }));
}

function hosted(tensor: Tensor): HostTensor {
  const { dtype, dims } = tensor;
  const data = numbersOf(tensor);
  if (dtype === 'int64') return { dtype, dims, data: BigInt64Array.from(data, (v) => BigInt(v)) };
  if (dtype === 'bool') return { dtype, dims, data: Uint8Array.from(data) };
  if (dtype === 'float16' || dtype === 'bfloat16')
    throw new GlacisError('model/unsupported-task', `--fix: expected no 16-bit floats, got ${dtype}`);
  return { dtype, dims, data };
}
