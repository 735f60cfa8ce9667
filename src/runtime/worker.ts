import { parentPort, workerData } from 'node:worker_threads';
import { GlacisError } from '../core/error.ts';
import type { HostTensor } from './array.ts';
import { type OrtOptions, type OrtSession, openOrt } from './ort.ts';

/** What the main thread asks of the worker; every request is answered once, in order. */
export type WorkerRequest =
  | {
      readonly id: number;
      readonly kind: 'open';
      readonly model: Uint8Array | string;
      readonly options: OrtOptions;
    }
  | {
      readonly id: number;
      readonly kind: 'run';
      readonly session: number;
      readonly feeds: Readonly<Record<string, HostTensor>>;
      readonly fetches?: readonly string[];
    }
  | { readonly id: number; readonly kind: 'close'; readonly session: number };

/** The worker's answer to a request. */
export type WorkerReply =
  | {
      readonly id: number;
      readonly ok: true;
      readonly session?: number;
      readonly inputs?: readonly string[];
      readonly outputs?: readonly string[];
      readonly results?: Record<string, HostTensor>;
    }
  | { readonly id: number; readonly ok: false; readonly code: string; readonly message: string };

const port = parentPort;
if (port && (workerData as { glacis?: string } | null)?.glacis === 'runtime') {
  const sessions = new Map<number, OrtSession>();
  let next = 1;
  const handle = async (request: WorkerRequest): Promise<{ reply: WorkerReply; transfer: ArrayBuffer[] }> => {
    const { id } = request;
    switch (request.kind) {
      case 'open': {
        const session = await openOrt(request.model, request.options);
        // The runtime has its own copy of the weights; this one is given back now, not when a collection happens to come.
        if (typeof request.model !== 'string' && request.model.buffer instanceof ArrayBuffer)
          request.model.buffer.transfer(0);
        sessions.set(next, session);
        return {
          reply: { id, ok: true, session: next++, inputs: session.inputs, outputs: session.outputs },
          transfer: [],
        };
      }
      case 'run': {
        const session = sessions.get(request.session);
        if (!session) throw new GlacisError('run/failed', 'run: the session is closed');
        const results = await session.run(request.feeds, request.fetches);
        const transfer = Object.values(results).map((t) => t.data.buffer as ArrayBuffer);
        return { reply: { id, ok: true, results }, transfer: [...new Set(transfer)] };
      }
      case 'close': {
        await sessions.get(request.session)?.close();
        sessions.delete(request.session);
        return { reply: { id, ok: true }, transfer: [] };
      }
    }
  };
  let queue: Promise<void> = Promise.resolve();
  port.on('message', (request: WorkerRequest) => {
    queue = queue.then(async () => {
      try {
        const { reply, transfer } = await handle(request);
        port.postMessage(reply, transfer);
      } catch (thrown) {
        const code = thrown instanceof GlacisError ? thrown.code : 'run/failed';
        port.postMessage({
          id: request.id,
          ok: false,
          code,
          message: thrown instanceof Error ? thrown.message : String(thrown),
        } satisfies WorkerReply);
      }
    });
  });
}
