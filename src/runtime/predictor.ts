import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';
import type { Model } from '../onnx/model.ts';
import { elementCount, numbersOf, type Tensor } from '../onnx/tensor.ts';
import { f32, type HostTensor } from './array.ts';
import type { Engine, Session } from './engine.ts';
import { type FixedInputs, fixedForBatch } from './fixed-input.ts';
import { openOnLanes } from './sharded.ts';

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
  /**
   * Threads that run whole samples each, `rows` at a time: quicker for small models, which are then held once a thread. Not for a model whose batch
   * size is fixed.
   */
  readonly lanes?: { readonly count: number; readonly rows: number } | undefined;
}

/** Batches for each thread: one that runs and one that waits for it. */
const PER_LANE = 2;

/** Opens the deployed model. A model whose batch size is fixed is run at that size, the last batch filled up. */
export async function openPredictor(
  engine: Engine,
  model: Model,
  options: PredictorOptions,
): Promise<Predictor> {
  const { lanes } = options;
  const sessions = lanes ? await openOnLanes(engine, model, lanes.count) : [await engine.open(model)];
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
      const share = lanes ? Math.min(lanes.rows, Math.ceil(n / lanes.count)) : n;
      const batch = fixedBatch ?? Math.max(1, Math.min(options.batch, share));
      const parts: Float32Array[] = new Array(Math.ceil(n / batch));
      const part = async (number: number, session: Session) => {
        throwIfCancelled(signal, 'prediction');
        const at = number * batch;
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
        parts[number] = floatsOf(out).subarray(0, count * k);
      };
      const turns = lanes ? PER_LANE * sessions.length : 1;
      const turn = async (first: number) => {
        for (let number = first; number < parts.length; number += turns)
          await part(number, sessions[first % sessions.length]!);
      };
      await Promise.all(Array.from({ length: turns }, (_, first) => turn(first)));
      const whole = new Float32Array(parts.reduce((sum, p) => sum + p.length, 0));
      let to = 0;
      for (const p of parts) {
        whole.set(p, to);
        to += p.length;
      }
      return whole;
    },
    async close() {
      await Promise.all(sessions.map((session) => session.close()));
    },
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
