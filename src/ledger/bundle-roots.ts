import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';
import { rootsOf } from './bundle-check.ts';
import { MOST_BUNDLE_BYTES } from './entry-bundle.ts';
import type { LogSource } from './log-source.ts';
import { HASH_BYTES } from './merkle.ts';
import { type RootsReply, type RootsRequest, type RootsWorkerData, rootsOfRange } from './roots-worker.ts';
import { syncFolder } from './sync-folder.ts';
import { TILE_WIDTH, tilePath } from './tile.ts';

/** Roots over all full bundles of a log, 32 bytes each; zeros where a file is missing or cannot be read. */
export interface BundleRoots {
  /** Computed from the entries. */
  readonly entries: Uint8Array;
  /** Computed from the stored tiles of level 0. */
  readonly tiles: Uint8Array;
}

/** How a log is gone through. */
export interface ThroughOptions {
  /** Worker threads, for a log in a folder. Default 1: this thread. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Hears how many bundles are done. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
}

/** Bundles of one piece of work: 32,768 entries. */
const PIECE = 128;
/** Pieces that a thread has before it, so that it does not wait. */
const AHEAD = 2;

/**
 * Computes the roots over the first `count` bundles of a log, all of them full. Memory: 64 bytes a bundle, and a bundle a thread.
 * Errors: `run/cancelled`, `run/failed`.
 */
export async function bundleRoots(
  source: LogSource,
  count: number,
  options: ThroughOptions = {},
): Promise<BundleRoots> {
  const { signal, progress, threads = 1 } = options;
  const roots = { entries: Buffer.alloc(count * HASH_BYTES), tiles: Buffer.alloc(count * HASH_BYTES) };
  let done = 0;
  const take = ({ from, entries, tiles }: RootsReply) => {
    roots.entries.set(entries, from * HASH_BYTES);
    roots.tiles.set(tiles, from * HASH_BYTES);
    done += entries.length / HASH_BYTES;
    progress?.(done, count);
  };
  throwIfCancelled(signal, 'going through the log');
  if (source.folder === undefined) {
    for (let index = 0; index < count; index++) {
      throwIfCancelled(signal, 'going through the log');
      take(await rootsFrom(source, index));
    }
    return roots;
  }
  const pieces = Math.ceil(count / PIECE);
  const piece = (n: number): RootsRequest => ({ from: n * PIECE, to: Math.min(count, (n + 1) * PIECE) });
  if (threads <= 1 || pieces <= 2) {
    const folder = syncFolder(source.folder);
    try {
      for (let n = 0; n < pieces; n++) {
        take(rootsOfRange(folder, piece(n)));
        await setImmediate();
        throwIfCancelled(signal, 'going through the log');
      }
    } finally {
      folder.close();
    }
    return roots;
  }
  await overThreads(source.folder, Math.min(threads, pieces), pieces, piece, take, signal);
  return roots;
}

async function rootsFrom(source: LogSource, index: number): Promise<RootsReply> {
  const read = async (level: 0 | 'entries', most: number) => {
    try {
      const bytes = await source.read(tilePath({ level, index, width: TILE_WIDTH }), most);
      // A copy: what a source gives may be its own.
      return bytes && Buffer.from(bytes);
    } catch (thrown) {
      if (thrown instanceof GlacisError && thrown.code === 'ledger/unreadable') return undefined;
      throw thrown;
    }
  };
  const [entries, tiles] = rootsOf(
    await read('entries', MOST_BUNDLE_BYTES),
    await read(0, TILE_WIDTH * HASH_BYTES),
  );
  return { from: index, entries, tiles };
}

function overThreads(
  folder: string,
  threads: number,
  pieces: number,
  piece: (n: number) => RootsRequest,
  take: (reply: RootsReply) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const file = import.meta.url.endsWith('.ts') ? './roots-worker.ts' : './roots-worker.js';
  const workerData: RootsWorkerData = { glacis: 'roots', folder };
  const workers: Worker[] = [];
  let next = 0;
  let left = pieces;
  return new Promise<void>((resolve, reject) => {
    const end = (thrown?: unknown) => {
      signal?.removeEventListener('abort', cancel);
      for (const worker of workers) void worker.terminate();
      if (thrown === undefined) resolve();
      else reject(thrown);
    };
    const cancel = () =>
      end(new GlacisError('run/cancelled', 'going through the log: cancelled', { cause: signal?.reason }));
    signal?.addEventListener('abort', cancel, { once: true });
    for (let i = 0; i < threads; i++) {
      const worker = new Worker(new URL(file, import.meta.url), { workerData });
      workers.push(worker);
      const feed = () => {
        if (next < pieces) worker.postMessage(piece(next++));
      };
      worker.on('message', (reply: RootsReply) => {
        take(reply);
        if (--left === 0) end();
        else feed();
      });
      worker.on('error', (thrown) =>
        end(
          new GlacisError('run/failed', `a thread that goes through the log failed: ${thrown}`, {
            cause: thrown,
          }),
        ),
      );
      worker.on('exit', () => {
        if (left > 0)
          end(new GlacisError('run/failed', 'a thread that goes through the log ended before its work'));
      });
      for (let ahead = 0; ahead < AHEAD; ahead++) feed();
    }
  });
}
