import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { asGlacisError, type ErrorCode, GlacisError } from '../core/error.ts';
import type { Model } from '../onnx/model.ts';
import { withoutTrailingBlanks } from '../onnx/trim-inputs.ts';
import { serializeModel } from '../onnx/write.ts';
import type { HostTensor } from './array.ts';
import type { Device } from './device.ts';
import type { OrtOptions } from './ort.ts';
import type { WorkerReply, WorkerRequest } from './worker.ts';

/** How an engine runs graphs. */
export interface EngineOptions {
  /** `cpu` unless given. */
  readonly device?: Device;
  /** Threads inside one operator; all cores unless given. */
  readonly threads?: number;
}

/** A graph that is ready to run, off the calling thread. */
export interface Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /**
   * Runs the graph once. With `transfer`, the feeds' buffers (all of each, also where a feed shows only a part) move to the
   * worker without a copy and are empty afterwards. Errors: `data/mismatch`, `run/failed`.
   */
  run(
    feeds: Readonly<Record<string, HostTensor>>,
    options?: { readonly fetches?: readonly string[]; readonly transfer?: boolean },
  ): Promise<Record<string, HostTensor>>;
  close(): Promise<void>;
}

/**
 * Runs graphs in a worker thread, because ONNX Runtime blocks the thread it runs in. Runs are queued; nothing in flight is
 * ever killed (that would end the process): cancel between runs.
 */
export interface Engine {
  readonly device: Device;
  readonly threads: number;
  /** Opens a session; `profile` makes the runtime write its own profile on close. Errors: `run/failed`, `device/unavailable`. */
  open(
    model: Model | Uint8Array | string,
    options?: Pick<OrtOptions, 'profile' | 'optimise'>,
  ): Promise<Session>;
  /** Lets what is under way finish; whatever is asked afterwards fails with `run/failed`. */
  close(): Promise<void>;
}

/** Starts an engine with its own worker thread. Close it when done; an idle engine does not keep the process alive. */
export function startEngine(options: EngineOptions = {}): Engine {
  const device = options.device ?? 'cpu';
  const threads = options.threads ?? availableParallelism();
  const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
  const worker = new Worker(new URL(file, import.meta.url), { workerData: { glacis: 'runtime' } });
  worker.unref();
  const waiting = new Map<
    number,
    { resolve(reply: WorkerReply & { ok: true }): void; reject(error: Error): void }
  >();
  let next = 1;
  /** Why nothing may be asked any more. */
  let over: GlacisError | undefined;
  let idle: (() => void) | undefined;
  const settled = () => {
    if (waiting.size > 0) return;
    worker.unref();
    idle?.();
  };
  const fail = (error: GlacisError) => {
    over ??= error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
    settled();
  };
  worker.on('message', (reply: WorkerReply) => {
    const entry = waiting.get(reply.id);
    waiting.delete(reply.id);
    settled();
    if (reply.ok) entry?.resolve(reply);
    else entry?.reject(new GlacisError(reply.code as ErrorCode, reply.message));
  });
  worker.on('error', (thrown) =>
    fail(
      new GlacisError(
        'run/failed',
        `the runtime's thread failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
        { cause: thrown },
      ),
    ),
  );
  worker.on('exit', () => fail(new GlacisError('run/failed', 'the engine is closed')));
  const ask = (
    request: DistributiveOmit<WorkerRequest, 'id'>,
    transfer: ArrayBuffer[] = [],
  ): Promise<WorkerReply & { ok: true }> => {
    if (over) return Promise.reject(over);
    return new Promise((resolve, reject) => {
      const id = next++;
      if (waiting.size === 0) worker.ref();
      waiting.set(id, { resolve, reject });
      try {
        worker.postMessage({ ...request, id }, transfer);
      } catch (thrown) {
        // A buffer that is empty already, or that may not leave this thread.
        waiting.delete(id);
        settled();
        reject(asGlacisError(thrown, 'data/mismatch', 'run: expected arrays that can be handed over'));
      }
    });
  };
  return {
    device,
    threads,
    async open(model, extra = {}) {
      const source =
        typeof model === 'string' || model instanceof Uint8Array
          ? model
          : serializeModel(withoutTrailingBlanks(model));
      const own =
        source instanceof Uint8Array && source !== model && source.byteLength === source.buffer.byteLength;
      const opened = await ask(
        { kind: 'open', model: source, options: { device, threads, ...extra } },
        own ? [source.buffer as ArrayBuffer] : [],
      );
      const session = opened.session!;
      return {
        inputs: opened.inputs!,
        outputs: opened.outputs!,
        async run(feeds, { fetches, transfer = false } = {}) {
          const buffers = transfer
            ? [...new Set(Object.values(feeds).map((t) => t.data.buffer as ArrayBuffer))]
            : [];
          const sent = transfer ? feeds : Object.fromEntries(Object.entries(feeds).map(withOwnBuffer));
          const reply = await ask(
            { kind: 'run', session, feeds: sent, ...(fetches ? { fetches } : {}) },
            buffers,
          );
          return reply.results!;
        },
        async close() {
          if (!over) await ask({ kind: 'close', session });
        },
      };
    },
    async close() {
      over ??= new GlacisError('run/failed', 'the engine is closed');
      if (waiting.size > 0) {
        await new Promise<void>((resolve) => {
          const before = idle;
          idle = () => {
            before?.();
            resolve();
          };
        });
      }
      await worker.terminate();
    },
  };
}

/** Posting an array copies its whole buffer: a part of a large one is copied out first. */
function withOwnBuffer([name, tensor]: [string, HostTensor]): [string, HostTensor] {
  const { data } = tensor;
  return [name, data.byteLength === data.buffer.byteLength ? tensor : { ...tensor, data: data.slice() }];
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
