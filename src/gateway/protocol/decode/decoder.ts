import { Worker } from 'node:worker_threads';
import { GlacisError } from '../../../core/error.ts';
import { decodeInferRequest, type InferRequest } from '../../../oip/index.ts';
import type { DecodeReply, DecodeTask } from './decode-messages.ts';

/** JSON up to this length is parsed at once: that takes less time than a thread's answer would. */
const ON_THE_SPOT = 65_536;
/** What a thread may take: JSON of the greatest length that is accepted, made of the smallest lists, needs less. */
const THREAD_MEGABYTES = 2048;

/** A request, or why it is refused: it breaks the protocol, or cannot be read now. */
export type Decoded =
  | { readonly request: InferRequest }
  | { readonly refused: string; readonly busy?: boolean };

/** Reads inference requests, those with much JSON in a thread: parsing blocks the thread that it runs in. */
export class Decoder {
  #worker: Worker | undefined;
  #next = 0;
  readonly #waiting = new Map<number, (reply: Decoded) => void>();

  /** `body` is handed over, and must not be used afterwards, unless the answer comes at once. */
  decode(body: Uint8Array, jsonLength: string | undefined): Decoded | Promise<Decoded> {
    const length = jsonLength === undefined ? body.length : Number(jsonLength);
    if (!(length > ON_THE_SPOT)) return decoded(body, jsonLength);
    return new Promise((resolve) => {
      const id = this.#next++;
      this.#waiting.set(id, resolve);
      // A small part of a larger buffer is not ours to hand over.
      const isOwn = 2 * body.byteLength >= body.buffer.byteLength;
      const own = (isOwn ? body : Uint8Array.from(body)) as Uint8Array<ArrayBuffer>;
      this.#thread().postMessage({ id, body: own, jsonLength } satisfies DecodeTask, [own.buffer]);
    });
  }

  #thread(): Worker {
    if (this.#worker) return this.#worker;
    const file = import.meta.url.endsWith('.ts') ? './decode-worker.ts' : './decode-worker.js';
    const worker = new Worker(new URL(file, import.meta.url), {
      workerData: { glacis: 'decode' },
      resourceLimits: { maxOldGenerationSizeMb: THREAD_MEGABYTES },
      // Whatever the process was given on its command line is not for this thread.
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    worker.unref();
    worker.on('message', (reply: DecodeReply) => {
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    });
    // Out of memory, for one: what waits is refused, and the next request starts another thread.
    const lost = (): void => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      for (const resolve of this.#waiting.values())
        resolve({ refused: 'the thread that reads it has ended', busy: true });
      this.#waiting.clear();
    };
    worker.on('error', lost);
    worker.on('exit', lost);
    this.#worker = worker;
    return worker;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }
}

function decoded(body: Uint8Array, jsonLength: string | undefined): Decoded {
  try {
    return { request: decodeInferRequest({ body, jsonLength }) };
  } catch (thrown) {
    if (!(thrown instanceof GlacisError)) throw thrown;
    return { refused: thrown.message };
  }
}
