import { Worker } from 'node:worker_threads';
import { GlacisError } from '../../../core/error.ts';
import {
  decodeInferRequest,
  encodeInferResponse,
  type InferRequest,
  type InferResponse,
  type Outgoing,
} from '../../../oip/index.ts';
import { Turns } from '../turns.ts';
import type { CodecReply, CodecTask } from './codec-messages.ts';

/** JSON up to this length is parsed at once: that takes less time than a thread's answer would. */
const BYTES_ON_THE_SPOT = 65_536;
/** Numbers that are written as JSON at once. */
const ELEMENTS_ON_THE_SPOT = 8192;
/** What the thread may take. JSON of 16 MiB needs less than half, since its lists and texts are counted first. */
const THREAD_MEGABYTES = 1024;

/** A request, or why it is refused: it breaks the protocol, or cannot be read now. */
export type Decoded =
  | { readonly request: InferRequest }
  | { readonly refused: string; readonly busy?: boolean };

type Result = CodecReply | { readonly refused: string; readonly busy: true };

/**
 * Reads requests and writes answers, those with much JSON in a thread: it blocks the thread that it is read or written in. One at a time; addresses
 * take turns.
 */
export class Codec {
  #worker: Worker | undefined;
  #isClosed = false;
  readonly #turns = new Turns(1);
  /** Takes what the thread says of the task that it has. */
  #answer: ((result: Result) => void) | undefined;

  /** `body` is handed over, and must not be used afterwards. `address`: whose request it is; addresses take turns. */
  decode(body: Uint8Array, jsonLength: string | undefined, address: string): Decoded | Promise<Decoded> {
    const length = jsonLength === undefined ? body.length : Number(jsonLength);
    if (!(length > BYTES_ON_THE_SPOT)) return decoded(body, jsonLength);
    // A small part of a larger buffer is not ours to hand over.
    const isOwn = 2 * body.byteLength >= body.buffer.byteLength;
    const own = (isOwn ? body : Uint8Array.from(body)) as Uint8Array<ArrayBuffer>;
    return this.#ask({ kind: 'decode', body: own, jsonLength }, [own.buffer], address) as Promise<Decoded>;
  }

  /** An answer as a message, the outputs named in `binary` in binary form. Errors: `run/failed` where it cannot be written. */
  encode(response: InferResponse, binary: readonly string[], address: string): Outgoing | Promise<Outgoing> {
    const elements = response.outputs.reduce(
      (sum, { name, data }) => sum + (binary.includes(name) ? 0 : data.length),
      0,
    );
    if (elements <= ELEMENTS_ON_THE_SPOT)
      return encodeInferResponse(response, (name) => binary.includes(name));
    return this.#ask({ kind: 'encode', response, binary }, [], address).then((reply) => {
      if ('message' in reply) return reply.message;
      throw new GlacisError('run/failed', 'refused' in reply ? reply.refused : 'no message');
    });
  }

  async #ask(task: CodecTask, buffers: ArrayBuffer[], address: string): Promise<Result> {
    const turn = this.#turns.take(address);
    if (turn) await turn;
    try {
      if (this.#isClosed) return { refused: 'the server closes', busy: true };
      const worker = this.#thread();
      worker.ref();
      return await new Promise((resolve) => {
        this.#answer = resolve;
        worker.postMessage(task, buffers);
      });
    } finally {
      this.#answer = undefined;
      this.#worker?.unref();
      this.#turns.give();
    }
  }

  #thread(): Worker {
    if (this.#worker) return this.#worker;
    const file = import.meta.url.endsWith('.ts') ? './codec-worker.ts' : './codec-worker.js';
    const worker = new Worker(new URL(file, import.meta.url), {
      workerData: { glacis: 'codec' },
      resourceLimits: { maxOldGenerationSizeMb: THREAD_MEGABYTES },
      // Whatever the process was given on its command line is not for this thread.
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    worker.on('message', (reply: CodecReply) => this.#answer?.(reply));
    // What it worked on is refused, and the next request starts another thread.
    const lost = (): void => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#answer?.({ refused: 'the thread that reads and writes JSON has ended', busy: true });
    };
    worker.on('error', lost);
    worker.on('exit', lost);
    this.#worker = worker;
    return worker;
  }

  /** Ends the thread; what waits is refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
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
