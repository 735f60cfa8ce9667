import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { throwIfCancelled } from '../../core/cancel.ts';
import { type ErrorCode, GlacisError } from '../../core/error.ts';
import { type Progress, silent } from '../../core/progress.ts';
import { hashSteps, type Piece } from './hash-piece.ts';
import { type HashType, hasherMaker } from './hash-type.ts';
import type { HashReply, HashRequest, HashWorkerData } from './hash-worker.ts';

/** How pieces are hashed. */
export interface HashOptions {
  readonly type: HashType;
  /** Worker threads at most. */
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: Progress | undefined;
  /** Hears of each digest as soon as it is there, by the piece's place in the list. */
  readonly hashed?: ((index: number, hex: string) => void) | undefined;
}

/** Fewer bytes than this are hashed right here, and of one piece alone more: starting threads takes longer than they save. */
const SMALL = 16 << 20;
const SMALL_ALONE = 256 << 20;

/** Bytes between two looks at what else there is to do, where hashing shares the thread: about three milliseconds. */
const TURN = 4 << 20;

/** Pieces below this size are handed to a thread several at a time, so that it does not wait for the next. */
const SHORT = 1 << 20;
const SHORT_AHEAD = 8;

/** Milliseconds between two reports of progress. */
const REPORT_EVERY = 100;

/**
 * The digests of `pieces` in lowercase hexadecimal, in their order, by several threads with the largest pieces first. The first error ends
 * it. Errors: `model/unreadable`, `manifest/changed`, `run/cancelled`, `run/failed`.
 */
export async function hashPieces(pieces: readonly Piece[], options: HashOptions): Promise<readonly string[]> {
  const total = pieces.reduce((sum, { start, end }) => sum + end - start, 0);
  throwIfCancelled(options.signal, 'hashing');
  if (total <= (pieces.length === 1 ? SMALL_ALONE : SMALL)) return hashHere(pieces, total, options);
  return new Promise((resolve, reject) => runThreads(pieces, total, options, resolve, reject));
}

async function hashHere(
  pieces: readonly Piece[],
  total: number,
  { type, signal, progress = silent, hashed }: HashOptions,
): Promise<readonly string[]> {
  const make = await hasherMaker(type);
  const digests: string[] = [];
  let done = 0;
  let since = 0;
  for (const [i, piece] of pieces.entries()) {
    const steps = hashSteps(piece, make());
    let step = steps.next();
    for (; !step.done; step = steps.next()) {
      done += step.value;
      since += step.value;
      if (since < TURN) continue;
      since = 0;
      progress({ label: `hashing (${type})`, done, total });
      await setImmediate();
      if (signal?.aborted) steps.return('');
      throwIfCancelled(signal, 'hashing');
    }
    digests.push(step.value);
    hashed?.(i, step.value);
  }
  return digests;
}

function runThreads(
  pieces: readonly Piece[],
  total: number,
  { type, threads, signal, progress = silent, hashed }: HashOptions,
  resolve: (digests: readonly string[]) => void,
  reject: (error: unknown) => void,
): void {
  const digests = new Array<string>(pieces.length);
  const size = (id: number) => pieces[id]!.end - pieces[id]!.start;
  const order = pieces.map((_, id) => id).sort((a, b) => size(b) - size(a));
  const counter = new SharedArrayBuffer(8);
  const bytes = new BigUint64Array(counter);
  const file = import.meta.url.endsWith('.ts') ? './hash-worker.ts' : './hash-worker.js';
  const workers: Worker[] = [];
  let next = 0;
  let left = pieces.length;
  const report = () => progress({ label: `hashing (${type})`, done: Number(Atomics.load(bytes, 0)), total });
  const timer = setInterval(report, REPORT_EVERY);
  let over = false;
  const end = (error?: unknown) => {
    if (over) return;
    over = true;
    clearInterval(timer);
    signal?.removeEventListener('abort', cancel);
    // No native run is under way in these threads but a hash, which may be cut off anywhere.
    for (const worker of workers) void worker.terminate();
    if (error === undefined) resolve(digests);
    else reject(error);
  };
  const cancel = () => end(new GlacisError('run/cancelled', 'hashing: cancelled', { cause: signal?.reason }));
  signal?.addEventListener('abort', cancel, { once: true });
  for (let i = 0; i < Math.max(1, Math.min(threads, pieces.length)); i++) {
    const workerData: HashWorkerData = { glacis: 'hash', type, counter };
    const worker = new Worker(new URL(file, import.meta.url), { workerData });
    workers.push(worker);
    let under = 0;
    const feed = () => {
      for (let id = order[next]; id !== undefined; id = order[next]) {
        if (under >= (size(id) < SHORT ? SHORT_AHEAD : 1)) return;
        under++;
        next++;
        worker.postMessage({ id, piece: pieces[id]! } satisfies HashRequest);
      }
    };
    worker.on('message', (reply: HashReply) => {
      if (!('hex' in reply)) return end(new GlacisError(reply.code as ErrorCode, reply.message));
      digests[reply.id] = reply.hex;
      hashed?.(reply.id, reply.hex);
      under--;
      if (--left === 0) {
        report();
        return end();
      }
      feed();
    });
    worker.on('error', (thrown) =>
      end(new GlacisError('run/failed', `a hashing thread failed: ${thrown}`, { cause: thrown })),
    );
    worker.on('exit', () => end(new GlacisError('run/failed', 'a hashing thread ended before its work')));
    feed();
  }
}
