import { writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { getHeapStatistics, type HeapInfo } from 'node:v8';
import threads, {
  BroadcastChannel,
  isMainThread,
  type Worker,
  type WorkerOptions,
} from 'node:worker_threads';

/** Where whoever started this process reads, one JSON line for each signal. */
const OUT = 3;
const OWN = import.meta.filename;
/** Milliseconds that a thread has for a collection. */
const PATIENCE = 10_000;

/** What a thread's heap has, in bytes. */
export interface ThreadMemory {
  /** The file that it runs and its folder: `sqlite/sqlite-worker`. */
  readonly name: string;
  /** Objects, those included that nobody refers to any more. */
  readonly used: number;
  /** What V8 has taken from the system for them. */
  readonly held: number;
  /** Buffers and the like outside of it. */
  readonly external: number;
}

/** A line that is written: what Node says of the process and of its main thread, seconds of processor time, and all threads. */
export interface MemoryLine extends NodeJS.MemoryUsage {
  readonly cpu: number;
  readonly threads: readonly ThreadMemory[];
}

const collect = (): void => {
  // Twice: what the first collection ends may hold more.
  for (let i = 0; i < 2; i++) (globalThis as { gc?: () => void }).gc?.();
};

/**
 * Loaded before a program that is watched (`node --expose-gc --import …`): on `SIGUSR2` it collects garbage in the main thread and writes what memory is left there, so that what
 * is kept can be told from what merely waits for a collection, and what other threads hold as it is; on `SIGHUP` all threads collect theirs before.
 */
if (isMainThread) watch();
else {
  const channel = new BroadcastChannel(OWN);
  channel.onmessage = ({ data }) => {
    if (data !== 'collect') return;
    collect();
    channel.postMessage('collected');
  };
  channel.unref();
}

function watch(): void {
  const workers = new Map<Worker, string>();
  const started = threads as { Worker: typeof Worker };
  started.Worker = new Proxy(threads.Worker, {
    construct(target, [file, options = {}]: [string | URL, WorkerOptions?]) {
      // Who has arguments of its own does not take over those of the process.
      const execArgv = options.execArgv && [...options.execArgv, '--import', OWN];
      const worker = new target(file, { ...options, ...(execArgv && { execArgv }) });
      const [, name = 'unknown'] = /([^/]+\/[^/]+)\.[jt]s$/.exec(String(file)) ?? [];
      workers.set(worker, name);
      worker.once('exit', () => workers.delete(worker));
      return worker;
    },
  });
  syncBuiltinESMExports();
  const look = async (): Promise<void> => {
    collect();
    const { user, system } = process.cpuUsage();
    const others = await Promise.all(
      [...workers].map(async ([worker, name]) => heapOf(name, await worker.getHeapStatistics())),
    );
    const line: MemoryLine = {
      ...process.memoryUsage(),
      cpu: (user + system) / 1e6,
      threads: [heapOf('main', getHeapStatistics()), ...others],
    };
    writeSync(OUT, `${JSON.stringify(line)}\n`);
  };
  const channel = new BroadcastChannel(OWN);
  channel.unref();
  process.on('SIGUSR2', () => void look());
  process.on('SIGHUP', () => {
    let left = workers.size;
    const all = new Promise<void>((done) => {
      const late = setTimeout(done, PATIENCE);
      channel.onmessage = () => {
        if (--left > 0) return;
        clearTimeout(late);
        done();
      };
    });
    channel.postMessage('collect');
    void all.then(look);
  });
}

function heapOf(name: string, heap: HeapInfo): ThreadMemory {
  const { used_heap_size: used, total_physical_size: held, external_memory: external } = heap;
  return { name, used, held, external };
}
