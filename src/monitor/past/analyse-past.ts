import { availableParallelism } from 'node:os';
import { throwIfCancelled } from '../../core/cancel.ts';
import type { Progress } from '../../core/progress.ts';
import { ALARM_SEVERITIES, type Alarm } from '../alarm.ts';
import type { HubChoice } from '../hub/messages.ts';
import type { MonitorState } from '../monitor.ts';
import { type AnalysisEnd, type AnalysisSetting, statesInOrder } from './analysis.ts';
import type { PastBatch } from './batch.ts';
import type { Past } from './open-past.ts';
import { openHere, openInThreads, type SharedAnalysis } from './shared-analysis.ts';
import type { PastLabelCounts, PastLabels } from './tell-labels.ts';

/** What monitors found in past decisions. */
export interface PastAnalysis {
  readonly schema: 'glacis.monitor/1';
  readonly decisions: number;
  /** Lines that were no decision, and decisions of models that were not asked for. */
  readonly skipped: number;
  /** Decisions that name neither a principal nor an address. */
  readonly unnamed: number;
  /** What became of true labels, where some were given. */
  readonly labels?: PastLabelCounts | undefined;
  readonly first: number | undefined;
  readonly last: number | undefined;
  readonly models: AnalysisEnd['models'];
  /** The gravest first, then the latest; {@link MOST_ALARMS} at most. */
  readonly alarms: readonly Alarm[];
  /** All of them, by monitor and severity. */
  readonly counts: readonly {
    readonly monitor: string;
    readonly kind: Alarm['kind'];
    readonly severity: Alarm['severity'];
    readonly count: number;
  }[];
  readonly states: readonly MonitorState[];
}

/** How past decisions are looked at. */
export interface PastSetting {
  readonly choice: HubChoice;
  /** Only this model; all without. */
  readonly model?: string | undefined;
  /** Sizes of one sample, where sketches are of pictures: what is sketched cannot be told from a row. */
  readonly sampleDims?: readonly number[] | undefined;
  readonly seed?: number | undefined;
  /** What really was, as far as it is known. */
  readonly labels?: PastLabels | undefined;
  /** Threads of monitors beside this one, which reads; 0 for none. What is found does not depend on it. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: Progress | undefined;
}

/** Alarms that are kept one by one. */
const MOST_ALARMS = 1000;

/** Batches that are not worth threads of their own. */
const FEW = 5;

/** Threads of monitors, at most, unless another number is asked for: with more, the one that reads is what is waited for. */
const MOST_THREADS = 4;

/**
 * Lets all monitors look at past decisions, as if they had come in now. One thread reads, others look, each with a part of the monitors. Memory is that of the monitors and a few batches, whatever the number of decisions. Errors: those of the
 * source, `run/cancelled`, `run/failed`.
 */
export async function analysePast(past: Past, setting: PastSetting): Promise<PastAnalysis> {
  const { choice, model, seed = 0, labels, signal, progress } = setting;
  const { threads = Math.min(MOST_THREADS, Math.max(2, availableParallelism() - 1)) } = setting;
  const own: AnalysisSetting = { choice, model, seed, kinds: undefined };
  const heard = openTally();
  let shared: SharedAnalysis | undefined;
  let waiting: PastBatch[] = [];
  let read = 0;
  const look = async (batch: PastBatch): Promise<void> => {
    heard.hear(await shared!.take(batch));
    progress?.({ label: 'decisions', done: read, note: `${heard.count()} alarms` });
  };
  const open = async (opened: SharedAnalysis): Promise<void> => {
    shared = opened;
    for (const batch of waiting) await look(batch);
    waiting = [];
  };
  try {
    for await (const batch of (labels?.tellIn(past) ?? past).batches(signal)) {
      throwIfCancelled(signal, 'past decisions');
      read += batch.count;
      if (shared !== undefined) await look(batch);
      else if (waiting.push(batch) > FEW)
        await open(threads > 0 ? openInThreads(own, threads) : openHere(own));
    }
    if (shared === undefined) await open(openHere(own));
    const { alarms, end } = await shared!.end();
    heard.hear(alarms);
    return {
      schema: 'glacis.monitor/1',
      ...end,
      ...(labels && { labels: labels.counts() }),
      alarms: heard.alarms(),
      counts: heard.counts(),
      states: statesInOrder(end),
    };
  } finally {
    await shared?.close();
  }
}

/** Alarms in the order in which they came: gives them ids, counts all and keeps the gravest. */
function openTally() {
  const counts = new Map<string, PastAnalysis['counts'][number] & { count: number }>();
  let alarms: Alarm[] = [];
  let next = 0;
  return {
    hear(found: readonly Alarm[]): void {
      for (const alarm of found) {
        const { monitor, kind, severity } = alarm;
        const key = `${monitor} ${kind} ${severity}`;
        const count = counts.get(key);
        if (count) count.count++;
        else counts.set(key, { monitor, kind, severity, count: 1 });
        alarms.push({ ...alarm, id: (next++).toString(16).padStart(32, '0') });
      }
      if (alarms.length > 2 * MOST_ALARMS) alarms = gravest(alarms);
    },
    alarms: (): readonly Alarm[] => gravest(alarms),
    count: () => next,
    counts: (): PastAnalysis['counts'] => [...counts.values()].sort((a, b) => b.count - a.count),
  };
}

function gravest(alarms: readonly Alarm[]): Alarm[] {
  return alarms
    .toSorted(
      (a, b) => ALARM_SEVERITIES.indexOf(a.severity) - ALARM_SEVERITIES.indexOf(b.severity) || b.at - a.at,
    )
    .slice(0, MOST_ALARMS);
}
