import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { asGlacisError } from '../../core/error.ts';
import type { RecordReply, RecordRequest, RecordWorkerData } from './record-messages.ts';
import { openRecordWriter } from './record-writer.ts';

/** How often the free space is looked at while nothing is recorded, and payloads are swept, in milliseconds. */
const LOOK_EVERY = 1000;
const SWEEP_EVERY = 600_000;

/** Opens the log and does what it is asked, until it is told to close. Frames are taken in the order in which they come. */
async function serve(port: MessagePort, data: RecordWorkerData): Promise<void> {
  const say = (reply: RecordReply, transfer: ArrayBuffer[] = []) => port.postMessage(reply, transfer);
  const log = await openRecordWriter(data, { now: Date.now });
  let low = false;
  let broken = false;
  const look = () => {
    const space = log.space();
    if (space.low !== low) {
      low = space.low;
      say({ id: 0, about: 'space', ...space });
    }
    if (log.writer.broken && !broken) {
      broken = true;
      say({ id: 0, about: 'broken', message: log.writer.broken.message });
    }
  };
  const sweep = async () => {
    const removed = await log.sweep().catch(() => []);
    for (const because of ['age', 'size'] as const) {
      const gone = removed.filter((file) => file.because === because);
      const bytes = gone.reduce((sum, { bytes }) => sum + bytes, 0);
      if (gone.length > 0)
        say({ id: 0, about: 'swept', files: gone.map(({ file }) => file), bytes, because });
    }
  };
  const timers = [setInterval(look, LOOK_EVERY), setInterval(() => void sweep(), SWEEP_EVERY)];
  const answer = async (
    id: number,
    work: () => Promise<number | string | undefined>,
    { fatal = false, spare }: { readonly fatal?: boolean; readonly spare?: ArrayBuffer } = {},
  ) => {
    try {
      say({ id, ok: true, value: await work(), spare }, spare && [spare]);
    } catch (thrown) {
      const { code, message } = asGlacisError(thrown, 'output/unwritable', data.folder);
      // A disk that is nearly full may have room again; nothing else that keeps an entry from being written is made good by trying again.
      const lasting =
        fatal && code !== 'option/invalid' && (log.writer.broken !== undefined || !log.space().low);
      say({ id, ok: false, code, message, broken: lasting });
    }
    look();
  };
  port.on('message', (request: RecordRequest) => {
    const { id } = request;
    if (request.kind === 'records') {
      const { frame } = request;
      void answer(id, () => log.record(frame), { fatal: true, spare: frame.buffer });
    } else if (request.kind === 'receipt') void answer(id, () => log.receipt(request.index));
    else if (request.kind === 'erase') void answer(id, () => log.erase(request.subject));
    else
      void (async () => {
        for (const timer of timers) clearInterval(timer);
        await answer(id, async () => {
          await log.close();
          return undefined;
        });
        port.close();
      })();
  });
  say({ id: 0, about: 'ready', recovered: log.writer.recovered, size: log.writer.checkpoint.size });
  look();
}

const port = parentPort;
const data = workerData as RecordWorkerData | null;
if (port && data?.glacis === 'record')
  serve(port, data).catch((thrown) => {
    const { code, message } = asGlacisError(thrown, 'output/unwritable', data.folder);
    port.postMessage({ id: 0, ok: false, code, message, broken: true } satisfies RecordReply);
    port.close();
  });
