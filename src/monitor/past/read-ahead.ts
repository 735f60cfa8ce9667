import { Worker } from 'node:worker_threads';
import { throwIfCancelled } from '../../core/cancel.ts';
import { GlacisError } from '../../core/error.ts';
import { unpackSightings } from '../hub/packed-sightings.ts';
import type { Past } from './open-past.ts';
import type { PastReply, PastRequest, PastWorkerData } from './past-messages.ts';

/** Reads a file as {@link pastFromFile} does, in a thread of its own, a few batches ahead of whoever looks at them: half of the work is reading. Errors: the same, `run/failed`. */
export function readAhead(path: string, model?: string): Past {
  return {
    async *blocks(signal) {
      const file = import.meta.url.endsWith('.ts') ? './past-worker.ts' : './past-worker.js';
      const workerData: PastWorkerData = { path, model };
      const worker = new Worker(new URL(file, import.meta.url), { workerData });
      const arrived: PastReply[] = [];
      let wake: (() => void) | undefined;
      const put = (reply: PastReply): void => {
        arrived.push(reply);
        wake?.();
      };
      worker.on('message', put);
      worker.on('error', (thrown) =>
        put({ kind: 'failed', code: 'run/failed', message: `${path}: ${thrown}` }),
      );
      worker.on('exit', () => put({ kind: 'end' }));
      try {
        for (;;) {
          throwIfCancelled(signal, 'past decisions');
          const reply = arrived.shift();
          if (reply === undefined) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
            wake = undefined;
            continue;
          }
          if (reply.kind === 'end') return;
          if (reply.kind === 'failed') throw new GlacisError(reply.code, reply.message);
          const { packed, skipped, features } = reply;
          const sightings = unpackSightings(packed);
          const back: PastRequest = { numbers: packed.numbers, floats: packed.floats };
          worker.postMessage(back, [
            packed.numbers.buffer as ArrayBuffer,
            packed.floats.buffer as ArrayBuffer,
          ]);
          yield { sightings, skipped, features };
        }
      } finally {
        worker.removeAllListeners('exit');
        await worker.terminate();
      }
    },
  };
}
