import { InferenceSession, Tensor } from 'onnxruntime-node';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { byteLength } from '../onnx/dtype.ts';
import { elementCount } from '../onnx/tensor.ts';
import type { HostData, HostTensor } from './array.ts';
import { availableDevices, type Device } from './device.ts';
import { textBytes, textsFrom } from './text-tensor.ts';

/** How a session is made. */
export interface OrtOptions {
  readonly device: Device;
  /** Threads inside one operator. */
  readonly threads: number;
  /** Path prefix for the runtime's own profile (JSON); none unless given. */
  readonly profile?: string;
  /** Graph optimisations by the runtime; `all` unless given. */
  readonly optimise?: 'all' | 'extended' | 'basic' | 'disabled';
  /**
   * Which output an input takes from the run before, by the input's name (weights in training). Such values stay with the
   * session: the input has to be fed in the first run only, the output comes back only where it is fetched by name. Both
   * must have one type and shape. Two buffers each are used in turn, or one where `overwrite` names the input.
   */
  readonly carry?: Readonly<Record<string, string>>;
  /** Carried inputs whose output may be written over them (see `overwritable.ts`). */
  readonly overwrite?: readonly string[];
}

/** A session of ONNX Runtime in this thread. Running blocks the thread. */
export interface OrtSession {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  run(
    feeds: Readonly<Record<string, HostTensor>>,
    fetches?: readonly string[],
  ): Promise<Record<string, HostTensor>>;
  close(): Promise<void>;
}

/** ONNX Runtime's arrays have their own element type for bool and 16-bit floats; the bytes are the same. */
function toOrt(name: string, t: HostTensor): Tensor {
  const count = elementCount(t.dims);
  const sized = t.dims.every((d) => Number.isInteger(d) && d >= 0);
  if (t.dtype === 'string' && sized && t.data instanceof Uint8Array)
    return new Tensor('string', textsFrom(t.data, count, `run: input ${name}`), t.dims);
  if (!sized || t.data.byteLength !== byteLength(t.dtype, count)) {
    throw new GlacisError(
      'data/mismatch',
      `run: input ${name}: expected ${byteLength(t.dtype, count)} bytes for ${t.dtype}[${t.dims.join(', ')}], got ${t.data.byteLength}`,
    );
  }
  if (t.dtype === 'float16' && t.data instanceof Uint16Array) {
    // The runtime's binding takes the bytes of a Uint16Array only (a Float16Array arrives empty), but its own constructor
    // turns one into the other; so the type is set afterwards.
    const bits = new Tensor('uint16', t.data, t.dims);
    (bits as { type: string }).type = 'float16';
    return bits;
  }
  try {
    return new Tensor(t.dtype as 'float32', t.data as Float32Array, t.dims);
  } catch (thrown) {
    throw asGlacisError(thrown, 'data/mismatch', `run: input ${name}: expected an array for ${t.dtype}`);
  }
}

/** An empty tensor of the same type and shape. */
function alike({ type, data, dims }: Tensor): Tensor {
  const make = data.constructor as new (length: number) => Float32Array;
  return new Tensor(type as 'float32', new make(data.length), dims);
}

function fromOrt(t: Tensor): HostTensor {
  if (t.type === 'string')
    return { dtype: 'string', dims: t.dims, data: textBytes(t.data as unknown as string[]) };
  const raw = t.data as unknown as HostData & { readonly constructor: { readonly name: string } };
  const data =
    raw.constructor.name === 'Float16Array' ? new Uint16Array(raw.buffer, raw.byteOffset, raw.length) : raw;
  return { dtype: t.type as HostTensor['dtype'], dims: t.dims, data };
}

/**
 * Opens a session over a model's bytes, or over a file by its path (the only way for models above 2 GiB).
 * Errors: `run/failed` when the runtime refuses the model, with its reason; `device/unavailable`.
 */
export async function openOrt(model: Uint8Array | string, options: OrtOptions): Promise<OrtSession> {
  // The runtime itself falls back to the CPU without a word.
  if (!availableDevices().includes(options.device))
    throw new GlacisError(
      'device/unavailable',
      `--device ${options.device}: the installed ONNX Runtime has ${availableDevices().join(', ')} on this system; see docs/devices.md for how to add others`,
    );
  const settings: InferenceSession.SessionOptions = {
    executionProviders: options.device === 'cpu' ? ['cpu'] : [options.device, 'cpu'],
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: options.optimise ?? 'all',
    logSeverityLevel: 4,
    // A pattern is planned in the first run and then allocated beside what that run took: half as much memory again for a
    // training step of ResNet-18.
    enableMemPattern: false,
    ...(options.profile ? { enableProfiling: true, profileFilePrefix: options.profile } : {}),
  };
  let session: InferenceSession;
  try {
    session =
      typeof model === 'string'
        ? await InferenceSession.create(model, settings)
        : await InferenceSession.create(model, settings);
  } catch (thrown) {
    if (options.device !== 'cpu' && /provider|cuda|webgpu|coreml|dml/i.test(String(thrown))) {
      throw new GlacisError(
        'device/unavailable',
        `--device ${options.device}: ${firstLine(thrown)}; run on --device cpu, or see docs/devices.md`,
        { cause: thrown },
      );
    }
    throw new GlacisError('run/failed', `ONNX Runtime refuses the model: ${firstLine(thrown)}`, {
      cause: thrown,
    });
  }
  const carry = Object.entries(options.carry ?? {});
  const overwrite = new Set(options.overwrite);
  const carried = new Set(carry.map(([, output]) => output));
  const returned = session.outputNames.filter((name) => !carried.has(name));
  /** What carried inputs take next, by input, and buffers that are free again, by output. */
  const kept = new Map<string, Tensor>();
  const spare = new Map<string, Tensor>();
  return {
    inputs: session.inputNames,
    outputs: session.outputNames,
    async run(feeds, fetches) {
      const ortFeeds: Record<string, Tensor> = {};
      for (const name of session.inputNames) {
        const given = feeds[name];
        const known = kept.get(name);
        if (!given && known) {
          ortFeeds[name] = known;
          continue;
        }
        if (!given)
          throw new GlacisError(
            'data/mismatch',
            `run: expected an input '${name}', got ${Object.keys(feeds).join(', ') || 'none'}`,
          );
        ortFeeds[name] = toOrt(name, given);
      }
      for (const name of fetches ?? []) {
        if (!session.outputNames.includes(name))
          throw new GlacisError(
            'data/mismatch',
            `run: expected an output of ${session.outputNames.join(', ')}, got '${name}'`,
          );
      }
      try {
        if (carry.length === 0) {
          const results = fetches ? await session.run(ortFeeds, [...fetches]) : await session.run(ortFeeds);
          return Object.fromEntries(
            Object.entries(results).map(([name, value]) => [name, fromOrt(value as Tensor)]),
          );
        }
        const wanted = new Set(fetches ?? returned);
        const into: Record<string, Tensor | null> = {};
        for (const name of wanted) into[name] = null;
        // Buffers of our own from the start: the runtime's lie in its arena, which then cannot shrink around them.
        for (const [input, output] of carry) {
          const own = kept.get(input);
          into[output] =
            (own === ortFeeds[input] && overwrite.has(input) ? own : spare.get(output)) ??
            alike(ortFeeds[input]!);
        }
        const results = await session.run(ortFeeds, into);
        for (const [input, output] of carry) {
          const next = into[output] as Tensor;
          if (!overwrite.has(input)) spare.set(output, ortFeeds[input]!);
          kept.set(input, next);
          // The binding copies even what was written where we said; a collection of so much garbage may come late.
          const copy = (results[output] as Tensor).data as Float32Array;
          const { buffer } = next.data as Float32Array;
          if (copy.buffer !== buffer && !wanted.has(output)) (copy.buffer as ArrayBuffer).transfer(0);
        }
        // The worker gives away the buffers of what it returns: carried values go as copies.
        return Object.fromEntries(
          [...wanted].map((name) => {
            const result = fromOrt(results[name] as Tensor);
            const own =
              carried.has(name) &&
              (result.data as Float32Array).buffer === ((into[name] as Tensor).data as Float32Array).buffer;
            return [name, own ? { ...result, data: result.data.slice() as HostData } : result];
          }),
        );
      } catch (thrown) {
        throw asGlacisError(thrown, 'run/failed', 'ONNX Runtime failed while running the model');
      }
    },
    async close() {
      if (options.profile) session.endProfiling();
      await session.release();
    },
  };
}

function firstLine(thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).split('\n')[0]!;
}
