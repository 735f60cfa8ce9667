import { Worker } from 'node:worker_threads';
import { GlacisError } from '../../core/error.ts';
import type { Alarm } from '../alarm.ts';
import { KINDS } from '../hub/kinds.ts';
import { type AnalysisEnd, type AnalysisSetting, inOrder, openAnalysis } from './analysis.ts';
import type { AnalysisReply, AnalysisRequest } from './analysis-messages.ts';
import type { PastBatch } from './batch.ts';
import { openBatchReader } from './batch-sightings.ts';

/** Monitors that look at batches, in this thread or in others. */
export interface SharedAnalysis {
  /** Hands a batch over. Resolves when there is room for the next, with the alarms of batches that all have looked at by now, in order. */
  take(batch: PastBatch): Promise<readonly Alarm[]>;
  /** Resolves when all was looked at. */
  end(): Promise<{ readonly alarms: readonly Alarm[]; readonly end: AnalysisEnd }>;
  close(): Promise<void>;
}

/** Batches that a thread may have before it: below {@link ROOMS}, with what waits until it is known whether threads are worth it. */
const AHEAD = 5;

/** What kinds cost beside each other, as far as it is more than one: those that look at every call, or at every sketch closely. */
const COSTS: Readonly<Record<string, number>> = {
  'budget-creep': 4,
  sybil: 6,
  'slow-bleeding': 8,
  extraction: 4,
  'boundary-walk': 3,
  'near-duplicates': 3,
  'joint-drift-online': 2,
};

/** Kinds in as many parts of about the same cost. */
export function sharesOf(parts: number): readonly (readonly string[])[] {
  const shares = Array.from({ length: parts }, () => ({ cost: 0, names: [] as string[] }));
  const costOf = (name: string) => COSTS[name] ?? 1;
  for (const { name } of KINDS.toSorted((a, b) => costOf(b.name) - costOf(a.name))) {
    const least = shares.reduce((best, each) => (each.cost < best.cost ? each : best));
    least.cost += costOf(name);
    least.names.push(name);
  }
  return shares.map(({ names }) => names);
}

/** All monitors in this thread. */
export function openHere(setting: AnalysisSetting): SharedAnalysis {
  const reader = openBatchReader();
  const analysis = openAnalysis(setting);
  return {
    async take(batch) {
      const { skipped, features, labels } = batch;
      return inOrder(analysis.take({ sightings: reader.sightings(batch), skipped, features, labels }));
    },
    end: async () => ({ alarms: [], end: analysis.end() }),
    close: async () => {},
  };
}

/** Each part of the monitors in a thread of its own: they know nothing of each other, so alarms are the same. Errors of `take` and `end`: `run/failed`. */
export function openInThreads(setting: AnalysisSetting, threads: number): SharedAnalysis {
  const file = import.meta.url.endsWith('.ts') ? './analysis-worker.ts' : './analysis-worker.js';
  let wake: (() => void) | undefined;
  let failed: GlacisError | undefined;
  const fail = (error: GlacisError): void => {
    failed ??= error;
    wake?.();
  };
  const workers = sharesOf(threads).map((kinds) => {
    const workerData: AnalysisSetting = { ...setting, kinds };
    const worker = new Worker(new URL(file, import.meta.url), { workerData });
    const own = {
      worker,
      sent: 0,
      heard: [] as (readonly Alarm[])[],
      end: undefined as AnalysisEnd | undefined,
    };
    worker.on('message', (reply: AnalysisReply) => {
      if (reply.kind === 'failed') fail(new GlacisError(reply.code, reply.message));
      else if (reply.kind === 'end') own.end = reply.end;
      else own.heard.push(reply.alarms);
      wake?.();
    });
    worker.on('error', (thrown) =>
      fail(new GlacisError('run/failed', 'monitors of past decisions: a thread failed', { cause: thrown })),
    );
    worker.on('exit', () => {
      if (own.end === undefined)
        fail(new GlacisError('run/failed', 'monitors of past decisions: a thread ended too early'));
    });
    return own;
  });
  let told = 0;
  let sent = 0;
  const until = async (isDone: () => boolean): Promise<void> => {
    while (failed === undefined && !isDone())
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    wake = undefined;
    if (failed !== undefined) throw failed;
  };
  const least = () => workers.reduce((low, { heard }) => Math.min(low, told + heard.length), Infinity);
  const hear = (): readonly Alarm[] => {
    const alarms: Alarm[] = [];
    for (const ready = least(); told < ready; told++)
      alarms.push(...inOrder(workers.flatMap(({ heard }) => heard.shift()!)));
    return alarms;
  };
  const post = (request: AnalysisRequest): void => {
    for (const { worker } of workers) worker.postMessage(request);
  };
  return {
    async take(batch) {
      post({ kind: 'batch', batch });
      sent++;
      await until(() => sent - least() < AHEAD);
      return hear();
    },
    async end() {
      post({ kind: 'end' });
      await until(() => workers.every(({ end }) => end !== undefined));
      const alarms = hear();
      const ends = workers.map(({ end }) => end!);
      return { alarms, end: { ...ends[0]!, states: ends.flatMap(({ states }) => states) } };
    },
    async close() {
      for (const { worker } of workers) worker.removeAllListeners('exit');
      await Promise.all(workers.map(({ worker }) => worker.terminate()));
    },
  };
}
