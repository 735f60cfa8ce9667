import { Worker } from 'node:worker_threads';
import { GlacisError } from '../../core/error.ts';
import { ENGINE_RULES } from './engine-rules.ts';
import { slashed } from './folder-collections.ts';
import type { ScanLimits } from './limits.ts';
import { withFinding } from './scan-file.ts';
import type { SourceResult } from './scan-source.ts';
import type { ScanReply, ScanWorkerData } from './scan-worker.ts';
import type { Walk } from './walk.ts';
import type { WalkScan } from './walk-scan.ts';

/** Fewer bytes than this, or fewer files, are scanned right here: a thread takes longer to start. */
const SMALL = 32 << 20;
const FEW = 4;

/** What threads are started with. */
export interface ThreadsFor {
  readonly root: string;
  readonly walk: Pick<Walk, 'files' | 'folders'>;
  readonly limits: ScanLimits;
  /** Threads at most, the caller's counted. */
  readonly threads: number;
  /** Starts a thread of scan-worker.ts. */
  readonly start?: (data: ScanWorkerData) => Worker;
}

/** Threads that scan files of one walk; whoever starts them ends them. */
export interface ScanThreads {
  readonly helpers: readonly Helper[];
  end(): void;
}

/** Starts as many threads beside the caller's as are worth it. They load what they need while the caller does the same. */
export function startThreads({ root, walk, limits, threads, start = startWorker }: ThreadsFor): ScanThreads {
  const data: ScanWorkerData = { glacis: 'scan', root, walk, limits };
  const count = helpersFor(walk.files, threads);
  const helpers = Array.from({ length: count }, () => startHelper(start(data)));
  return {
    helpers,
    end() {
      for (const helper of helpers) helper.end();
    },
  };
}

/** What files are scanned with. */
export interface FilesScan {
  readonly files: Walk['files'];
  /** What this thread scans with. */
  readonly own: WalkScan;
  readonly threads: ScanThreads;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Scans every file of a walk and calls `done` with the results in the order of the files. This thread takes the first file at once, so that a first result
 * waits for no thread to start; others take what comes next. A file in which a thread dies is unreadable, and the others are scanned by those that are
 * left. Errors: `run/cancelled`.
 */
export async function scanFiles(
  { files, own, threads, signal }: FilesScan,
  done: (path: string, result: SourceResult) => void,
): Promise<void> {
  const results: (SourceResult | undefined)[] = [];
  let next = 0;
  let shown = 0;
  const take = () => (next < files.length && !signal?.aborted ? next++ : undefined);
  const finish = (index: number, result: SourceResult) => {
    if (signal?.aborted) return;
    results[index] = result;
    for (let ready = results[shown]; ready !== undefined && !signal?.aborted; ready = results[shown]) {
      results[shown] = undefined;
      done(files[shown++]!.path, ready);
    }
  };
  const end = () => threads.end();
  signal?.addEventListener('abort', end, { once: true });
  try {
    await Promise.all([
      scanHere(own, files, take, finish),
      ...threads.helpers.map((helper) => scanThere(helper, own, files, take, finish)),
    ]);
  } finally {
    signal?.removeEventListener('abort', end);
  }
  if (signal?.aborted) throw new GlacisError('run/cancelled', 'scan: cancelled', { cause: signal.reason });
}

type Take = () => number | undefined;
type Finish = (index: number, result: SourceResult) => void;

async function scanHere(own: WalkScan, files: Walk['files'], take: Take, finish: Finish): Promise<void> {
  for (let index = take(); index !== undefined; index = take())
    finish(index, await own.scanFile(files[index]!.path));
}

async function scanThere(
  helper: Helper,
  { vouched }: WalkScan,
  files: Walk['files'],
  take: Take,
  finish: Finish,
): Promise<void> {
  for (let index = take(); index !== undefined; index = take()) {
    const { path } = files[index]!;
    const reply = await helper.ask(path);
    if (typeof reply === 'string') {
      finish(index, lost(path, reply));
      return;
    }
    for (const each of reply.vouched) vouched.add(each);
    finish(index, reply.result);
  }
}

function lost(path: string, reason: string): SourceResult {
  const nothing: SourceResult = { verdict: 'clean', formats: [], findings: [], unknown: false };
  return withFinding(
    nothing,
    slashed(path),
    ENGINE_RULES.failed,
    `a scanning thread was lost in it: ${reason}`,
  );
}

/** How many threads beside this one are worth their start. */
function helpersFor(files: Walk['files'], threads: number): number {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return files.length < FEW || bytes < SMALL ? 0 : Math.max(0, Math.min(threads, files.length) - 1);
}

/** A thread that scans one file at a time. */
export interface Helper {
  /** What it says of a file, or why it is not there any more. */
  ask(path: string): Promise<ScanReply | string>;
  end(): void;
}

function startHelper(worker: Worker): Helper {
  let answer: ((what: ScanReply | string) => void) | undefined;
  let gone: string | undefined;
  const lose = (reason: string) => {
    gone ??= reason;
    answer?.(gone);
  };
  worker.on('message', (reply: ScanReply) => answer?.(reply));
  worker.on('error', (thrown) => lose(thrown instanceof Error ? thrown.message : String(thrown)));
  worker.on('messageerror', () => lose('its answer could not be read'));
  worker.on('exit', () => lose('the thread ended'));
  return {
    ask: (path) =>
      new Promise((resolve) => {
        if (gone !== undefined) return resolve(gone);
        answer = resolve;
        worker.postMessage(path);
      }),
    // No native work is under way in it but reads, which may be cut off anywhere.
    end: () => void worker.terminate(),
  };
}

function startWorker(workerData: ScanWorkerData): Worker {
  const file = import.meta.url.endsWith('.ts') ? './scan-worker.ts' : './scan-worker.js';
  return new Worker(new URL(file, import.meta.url), { workerData });
}
