import { parentPort, workerData } from 'node:worker_threads';
import { GlacisError } from '../../core/error.ts';
import { sightingPacker } from '../hub/packed-sightings.ts';
import { pastFromFile } from './open-past.ts';
import type { PastReply, PastRequest, PastWorkerData } from './past-messages.ts';

/** Batches that may wait to be looked at. */
const AHEAD = 16;

const { path, model } = workerData as PastWorkerData;
const port = parentPort!;
const packer = sightingPacker();
let under = 0;
let go: (() => void) | undefined;
port.on('message', ({ numbers, floats }: PastRequest) => {
  packer.recycle(numbers, floats);
  under--;
  go?.();
});
const send = async (skipped: number, features: readonly string[] | undefined): Promise<void> => {
  const packed = packer.take();
  under++;
  const reply: PastReply = { kind: 'block', packed, skipped, features };
  port.postMessage(reply, [packed.numbers.buffer as ArrayBuffer, packed.floats.buffer as ArrayBuffer]);
  if (under < AHEAD) return;
  await new Promise<void>((resolve) => {
    go = resolve;
  });
  go = undefined;
};
try {
  for await (const { sightings, skipped, features } of pastFromFile(path, model).blocks()) {
    let left = skipped;
    for (const sighting of sightings) {
      if (packer.add(sighting)) continue;
      await send(left, features);
      left = 0;
      packer.add(sighting);
    }
    await send(left, features);
  }
  port.postMessage({ kind: 'end' } satisfies PastReply);
} catch (thrown) {
  const { code, message } =
    thrown instanceof GlacisError
      ? thrown
      : {
          code: 'data/unreadable' as const,
          message: thrown instanceof Error ? thrown.message : String(thrown),
        };
  port.postMessage({ kind: 'failed', code, message } satisfies PastReply);
}
port.close();
