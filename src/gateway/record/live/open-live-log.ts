import { Worker } from 'node:worker_threads';
import { type ErrorCode, GlacisError } from '../../../core/error.ts';
import { SMALL_YOUNG_GENERATION } from '../../../core/young-generation.ts';
import type { DecisionDetail, DecisionRow, Page } from '../../console/api.ts';
import type { RecordConfig } from '../config-schema.ts';
import { type LogTrustFile, logFolder, wrappingKeyName } from '../log-folder.ts';
import type { KeptInput } from './kept-input.ts';
import type {
  DecisionQuery,
  LiveAnswer,
  LiveQuestion,
  LiveReply,
  LiveRequest,
  LiveState,
  LiveWorkerData,
} from './live-question.ts';

/** Questions that wait at once; more are turned away. */
const MOST_WAITING = 200;
/** After a thread has ended, another one is started this much later, in milliseconds. */
const START_AGAIN = 5000;

/** The log of a running server, to be searched. Everything is up to what was signed last, a second ago at most. */
export interface OpenLiveLog {
  /** Decisions, the newest first. Only with `reveal` is opened who they are about where that is sealed, and can be asked by principal. */
  page(query: DecisionQuery, reveal: boolean): Promise<Page<DecisionRow>>;
  /** One entry, by its index or its decision's id; undefined where there is none (yet). */
  find(which: string, reveal: boolean): Promise<DecisionDetail | undefined>;
  /** What is left of the inputs of a decision; undefined where there is no such decision (yet). Whoever asks writes down beforehand that it was asked. */
  input(which: string): Promise<KeptInput | undefined>;
  state(): Promise<LiveState>;
  close(): Promise<void>;
}

/**
 * Opens the search in a thread of its own: SQLite and hashing block. It keeps an index of its own, `live.db`, which can be thrown away, and follows the log without
 * getting in the way of serving: while nobody asks, it works a tenth of the time. A thread that fails is started again. Errors of questions: `store/unavailable` while there is
 * none; `option/invalid`; those of the log.
 */
export async function openLiveLog(
  config: Pick<RecordConfig, 'who' | 'wrappingKey'>,
  {
    folder,
    trust,
    failed,
  }: {
    readonly folder: string;
    readonly trust: LogTrustFile;
    readonly failed: (where: string, thrown: unknown) => void;
  },
): Promise<OpenLiveLog> {
  const workerData: LiveWorkerData = {
    glacis: 'live-log',
    folder,
    origin: trust.origin,
    keys: trust.keys,
    sealed: config.who === 'sealed',
    wrappingKey: await wrappingKeyName(logFolder(folder), config.wrappingKey),
  };
  const file = import.meta.url.endsWith('.ts') ? './live-worker.ts' : './live-worker.js';
  const waiting = new Map<number, { done(answer: LiveAnswer): void; refused(error: GlacisError): void }>();
  let next = 1;
  let closed = false;
  let worker: Worker | undefined;
  let again: NodeJS.Timeout | undefined;
  const gone = (what: string) => new GlacisError('store/unavailable', `search of the log: ${what}`);
  const start = (): void => {
    const started = new Worker(new URL(file, import.meta.url), {
      workerData,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: SMALL_YOUNG_GENERATION,
    });
    started.unref();
    worker = started;
    started.on('message', (reply: LiveReply) => {
      const asked = waiting.get(reply.id);
      waiting.delete(reply.id);
      if (reply.ok) asked?.done(reply.answer);
      else asked?.refused(new GlacisError(reply.code as ErrorCode, reply.message));
    });
    started.on('error', (thrown) => failed('search of the log', thrown));
    started.on('exit', () => {
      worker = undefined;
      for (const { refused } of waiting.values()) refused(gone('its thread has ended'));
      waiting.clear();
      if (closed) return;
      again = setTimeout(start, START_AGAIN);
      again.unref();
    });
  };
  start();
  const ask = (question: LiveQuestion): Promise<LiveAnswer> =>
    new Promise((done, refused) => {
      if (worker === undefined) return refused(gone('it is being started again'));
      if (waiting.size >= MOST_WAITING) return refused(gone('too many questions at once'));
      const id = next++;
      waiting.set(id, { done, refused });
      worker.postMessage({ ...question, id } satisfies LiveRequest);
    });
  return {
    page: async (query, reveal) => (await ask({ kind: 'page', query, reveal })) as Page<DecisionRow>,
    find: async (which, reveal) => (await ask({ kind: 'find', which, reveal })) as DecisionDetail | undefined,
    input: async (which) => (await ask({ kind: 'input', which })) as KeptInput | undefined,
    state: async () => (await ask({ kind: 'state' })) as LiveState,
    async close() {
      closed = true;
      clearTimeout(again);
      await worker?.terminate();
    },
  };
}
