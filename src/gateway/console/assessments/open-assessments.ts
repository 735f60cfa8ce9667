import { Worker } from 'node:worker_threads';
import { type ErrorCode, GlacisError } from '../../../core/error.ts';
import type { AssessmentRow } from '../api.ts';

/** Assessments for the console: what a thread reads in a folder. */
export interface Assessments {
  /** Errors: `data/unreadable`. */
  list(): Promise<{ readonly rows: readonly AssessmentRow[]; readonly unreadable: number }>;
  /** JSON of a whole result, or undefined. Errors: `result/invalid`, `data/too-large`. */
  text(id: string): Promise<string | undefined>;
  /** HTML of anybody's: to be sent so that nothing in it runs. */
  report(id: string): Promise<string | undefined>;
  /** JSON of a comparison. Errors: those of `compareAssessments`. */
  compare(a: string, b: string): Promise<string | undefined>;
  close(): Promise<void>;
}

/** What the thread is asked. */
export type ShelfRequest =
  | { readonly kind: 'rows' }
  | { readonly kind: 'text' | 'report'; readonly of: string }
  | { readonly kind: 'compare'; readonly of: string; readonly with: string };

/** What it answers. */
export type ShelfReply =
  | { readonly id: number; readonly text: string | undefined }
  | { readonly id: number; readonly code: ErrorCode; readonly message: string };

/** Milliseconds for an answer, and without a question until the thread is let go. */
const PATIENCE = 60_000;
const IDLE = 60_000;
/** For how long a list is good, in milliseconds: pages ask often. */
const GOOD = 2000;
const HEAP = 1024;

/** Opens the assessments of a folder. A thread starts with the first question and ends when nobody asks. One that takes too long or too much memory is ended, and the question fails. */
export function openAssessments(folder: string): Assessments {
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let next = 1;
  let listed: { readonly at: number; readonly list: ReturnType<Assessments['list']> } | undefined;
  const waiting = new Map<
    number,
    { resolve(text: string | undefined): void; reject(error: Error): void; readonly late: NodeJS.Timeout }
  >();

  const end = (because: string): void => {
    clearTimeout(idle);
    const gone = worker;
    worker = undefined;
    for (const { reject, late } of waiting.values()) {
      clearTimeout(late);
      reject(new GlacisError('data/unreadable', `assessments: ${because}`));
    }
    waiting.clear();
    void gone?.terminate();
  };
  const start = (): Worker => {
    if (worker !== undefined) return worker;
    const file = import.meta.url.endsWith('.ts') ? './assessment-worker.ts' : './assessment-worker.js';
    const made = new Worker(new URL(file, import.meta.url), {
      workerData: { folder },
      resourceLimits: { maxOldGenerationSizeMb: HEAP },
    });
    made.unref();
    made.on('message', (reply: ShelfReply) => {
      const asked = waiting.get(reply.id);
      waiting.delete(reply.id);
      clearTimeout(asked?.late);
      if ('code' in reply) asked?.reject(new GlacisError(reply.code, reply.message));
      else asked?.resolve(reply.text);
      if (waiting.size > 0) return;
      idle = setTimeout(() => end('nobody asks'), IDLE);
      idle.unref();
    });
    const broke = (): void => {
      if (worker === made) end('the thread that reads them has ended');
    };
    made.on('error', broke);
    made.on('exit', broke);
    worker = made;
    return made;
  };
  const ask = (request: ShelfRequest): Promise<string | undefined> => {
    clearTimeout(idle);
    const own = start();
    return new Promise((resolve, reject) => {
      const id = next++;
      const late = setTimeout(() => end(`they took longer than ${PATIENCE / 1000} s`), PATIENCE);
      late.unref();
      waiting.set(id, { resolve, reject, late });
      own.postMessage({ ...request, id });
    });
  };
  return {
    list() {
      const at = Date.now();
      if (listed !== undefined && at - listed.at < GOOD) return listed.list;
      const list: ReturnType<Assessments['list']> = ask({ kind: 'rows' }).then((text) =>
        JSON.parse(text ?? ''),
      );
      listed = { at, list };
      list.catch(() => {
        listed = undefined;
      });
      return list;
    },
    text: (id) => ask({ kind: 'text', of: id }),
    report: (id) => ask({ kind: 'report', of: id }),
    compare: (a, b) => ask({ kind: 'compare', of: a, with: b }),
    async close() {
      end('the server is closing');
    },
  };
}
