import { Worker } from 'node:worker_threads';
import { asGlacisError, type ErrorCode, GlacisError } from '../core/error.ts';
import type { WorkerReply, WorkerRequest } from './worker.ts';

/** A request without its number. */
export type LaneRequest = DistributiveOmit<WorkerRequest, 'id'>;

/** One worker thread with a runtime in it. Requests are answered in order. */
export interface Lane {
  /** Errors: those of the request; `run/failed` once the lane is closed; `data/mismatch` for arrays that cannot be handed over. */
  ask(request: LaneRequest, transfer?: ArrayBuffer[]): Promise<WorkerReply & { ok: true }>;
  /** Whether nothing may be asked any more. */
  readonly isOver: boolean;
  /** Lets what is under way finish; whatever is asked afterwards fails. */
  close(): Promise<void>;
}

/** Starts a worker thread. While it has nothing to do it does not keep the process alive. */
export function startLane(): Lane {
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
    ask,
    get isOver() {
      return over !== undefined;
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

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
