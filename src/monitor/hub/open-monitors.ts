import { randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { SMALL_YOUNG_GENERATION } from '../../core/young-generation.ts';
import type { Alarm } from '../alarm.ts';
import type { MonitorState } from '../monitor.ts';
import type { Sighting, TrueLabel } from '../sighting.ts';
import type { HubChoice, HubReply, HubRequest, HubWorkerData } from './messages.ts';
import { type DrawnSample, faultOf } from './model-watch.ts';
import type { MonitoredModel } from './monitored-model.ts';
import { openSketching } from './open-sketching.ts';
import { sightingPacker } from './packed-sightings.ts';

/** How the monitors work; `serve.monitors` of a configuration. */
export interface MonitorsSetting extends HubChoice {
  /** `samples` of a call are sketched at most, `perSecond` of all. */
  readonly sketch: { readonly samples: number; readonly perSecond: number };
}

/** What they need of the program around them. */
export interface MonitorsSurroundings {
  /** Where what they remember is kept; made where it is missing. Without, a restart forgets. */
  readonly folder?: string | undefined;
  /** What a model is, by what a decision says of it; undefined where nobody serves it. Asked once a version. */
  readonly describe: (model: string, digest: string | undefined) => MonitoredModel | undefined;
  readonly onAlarm: (alarm: Alarm) => void;
  /** Something that the operator must see. */
  readonly failed: (where: string, thrown: unknown) => void;
  readonly now?: () => number;
  readonly seed?: number;
  /** A module whose `KINDS` take the place of the registries. */
  readonly kindsFrom?: string | undefined;
  /** Milliseconds that an answer of the thread is waited for; 5,000 without. */
  readonly patience?: number | undefined;
  /** Milliseconds after which a thread that was handed calls and says nothing is ended; 300,000 without. */
  readonly standstill?: number | undefined;
}

/** What became of sightings. */
export interface MonitorsCounts {
  readonly seen: number;
  /** Thrown away because the thread was behind or gone. */
  readonly dropped: number;
  readonly sketched: number;
  readonly restarts: number;
}

/** All monitors of all models, in a thread of their own. */
export interface Monitors {
  /** Takes a call: microseconds, never throws, never waits. `x` is the main float input `[n, …]`, of which samples may be sketched; a sighting that has a sketch keeps it. */
  see(sighting: Sighting, x?: Float32Array): void;
  learn(labels: readonly TrueLabel[]): void;
  /** How the monitors stand; empty where the thread is gone. */
  states(model?: string): Promise<readonly MonitorState[]>;
  /** Sketches that were drawn last, the newest first. */
  samples(model?: string): Promise<readonly DrawnSample[]>;
  counts(): MonitorsCounts;
  /** Goes on with other options; what they do not concern is remembered. */
  reload(setting: MonitorsSetting): void;
  /** Hands over what waits and resolves when all of it was seen. */
  flush(): Promise<void>;
  /** Writes snapshots and ends the thread. */
  close(): Promise<void>;
}

/**
 * Milliseconds and calls after which a batch goes over, and batches under way from which sightings are dropped. An attack goes on until its alarm was answered: at 20 ms the
 * waiting is short beside the rest, and handing over costs a thousandth of a core.
 */
const EVERY = 20;
const CALLS = 256;
const MOST_BATCHES = 32;

/** Milliseconds between snapshots; between restarts of the thread at least; starts in an hour at most. */
const SAVE = 60_000;
const RESTART = 1000;
const MOST_STARTS = 10;
const HOUR = 3_600_000;

/** Labels of one message at most. */
const MOST_LABELS = 10_000;

/**
 * Starts the monitors. The main thread's part is to choose, sketch and pack; a batch goes over every {@link EVERY} ms. While the thread is behind or gone, sightings are dropped and counted; when it dies, or stands still, it is
 * started again from its snapshots (at most {@link MOST_STARTS} times an hour) and reported as a fault. Serving is never touched.
 */
export function openMonitors(first: MonitorsSetting, surroundings: MonitorsSurroundings): Monitors {
  const { folder, describe, onAlarm, failed, now = Date.now, seed = 0, kindsFrom } = surroundings;
  const { patience = 5000, standstill = 300_000 } = surroundings;
  let setting = first;
  const clock = () => performance.now();
  const packer = sightingPacker();
  const sketching = openSketching(setting.sketch, {
    ...{ describe, clock },
    onModel: (about) => post({ kind: 'model', about }),
  });
  const waiting = new Map<number, (value: unknown) => void>();
  let [seen, dropped, restarts, next, underWay] = [0, 0, 0, 1, 0];
  /** When the thread last had nothing to do, or said something. */
  let heardAt = 0;
  let starts: number[] = [];
  let worker: Worker | undefined;
  let closed = false;
  let isStill = false;
  let idle: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;

  const tell = (alarm: Alarm): void => {
    try {
      onAlarm(alarm);
    } catch (thrown) {
      failed('alarm', thrown);
    }
  };
  const start = (): void => {
    const workerData: HubWorkerData = {
      glacis: 'monitors',
      folder,
      choice: choiceOf(setting),
      models: sketching.models(),
      seed,
      kindsFrom,
    };
    const file = import.meta.url.endsWith('.ts') ? './hub-worker.ts' : './hub-worker.js';
    const own = new Worker(new URL(file, import.meta.url), {
      workerData,
      resourceLimits: SMALL_YOUNG_GENERATION,
    });
    own.unref();
    worker = own;
    [underWay, isStill] = [0, false];
    starts.push(clock());
    own.on('message', (reply: HubReply) => {
      if (own === worker) heard(reply);
    });
    const ended = (because: unknown): void => {
      if (own !== worker) return;
      worker = undefined;
      for (const done of waiting.values()) done(undefined);
      waiting.clear();
      settle();
      if (!closed) again(because);
    };
    own.on('error', ended);
    own.on('exit', (code) =>
      ended(isStill ? `it said nothing for ${Math.round(standstill / 1000)} s` : `it ended with ${code}`),
    );
  };
  const again = (because: unknown): void => {
    restarts++;
    failed('monitors', because);
    const why = because instanceof Error ? because.message : String(because);
    const recent = starts.filter((at) => at > clock() - HOUR);
    starts = recent;
    const over = recent.length >= MOST_STARTS;
    tell(
      faultOf(
        { model: '', version: undefined, digest: undefined },
        {
          id: randomBytes(16).toString('hex'),
          at: now(),
          monitor: 'monitors',
          why: `The thread of the monitors died: ${why.slice(0, 300)}. ${over ? 'It died too often and stays off for up to an hour.' : 'It is started again from its snapshots.'} Serving goes on; what happens meanwhile is not watched.`,
        },
      ),
    );
    const wait = over ? HOUR - (clock() - recent[0]!) : RESTART;
    setTimeout(() => {
      if (!closed && worker === undefined) start();
    }, wait).unref();
  };
  const heard = (reply: HubReply): void => {
    heardAt = clock();
    if (reply.kind === 'alarms') for (const alarm of reply.alarms) tell(alarm);
    else if (reply.kind === 'seen') {
      packer.recycle(reply.numbers, reply.floats);
      if (reply.suspects) sketching.suspect(reply.suspects);
      underWay--;
      settle();
    } else if (reply.kind === 'answer') {
      waiting.get(reply.id)?.(reply.value);
      waiting.delete(reply.id);
    }
  };
  const settle = (): void => {
    if (worker !== undefined && (underWay > 0 || packer.count() > 0)) return;
    const done = idle;
    idle = [];
    for (const each of done) each();
  };
  const post = (request: HubRequest, transfer: ArrayBuffer[] = []): void =>
    worker?.postMessage(request, transfer);
  /** Ends a thread that stands still: it is started again as one that died. */
  const endIfStill = (): void => {
    if (worker === undefined || isStill || underWay === 0 || clock() - heardAt < standstill) return;
    isStill = true;
    void worker.terminate();
  };
  const send = (): void => {
    if (timer !== undefined) clearTimeout(timer);
    timer = undefined;
    endIfStill();
    const count = packer.count();
    if (count === 0) return;
    if (worker === undefined || underWay >= MOST_BATCHES) {
      // Taken and thrown away: the arrays stay ours.
      const { numbers, floats } = packer.take();
      packer.recycle(numbers, floats);
      dropped += count;
      return;
    }
    const packed = packer.take();
    if (underWay++ === 0) heardAt = clock();
    post({ kind: 'sightings', packed }, [
      packed.numbers.buffer as ArrayBuffer,
      packed.floats.buffer as ArrayBuffer,
    ]);
  };
  const ask = <T>(kind: 'states' | 'samples' | 'save' | 'close', model?: string): Promise<T | undefined> => {
    if (worker === undefined) return Promise.resolve(undefined);
    const id = next++;
    return new Promise((resolve) => {
      const done = (value: unknown) => {
        clearTimeout(late);
        waiting.delete(id);
        resolve(value as T | undefined);
      };
      const late = setTimeout(() => done(undefined), patience);
      waiting.set(id, done);
      post(kind === 'states' || kind === 'samples' ? { kind, id, model } : { kind, id });
    });
  };
  start();
  const saving = setInterval(() => {
    endIfStill();
    void ask('save');
  }, SAVE);
  saving.unref();
  return {
    see(sighting, x) {
      if (closed) return;
      try {
        seen++;
        const whole = sketching.sketched(sighting, x);
        if (whole === undefined) return;
        if (!packer.add(whole)) {
          send();
          packer.add(whole);
        }
        if (packer.count() >= CALLS) send();
        else if (timer === undefined) {
          timer = setTimeout(send, EVERY);
          timer.unref();
        }
      } catch (thrown) {
        dropped++;
        failed('monitors', thrown);
      }
    },
    learn(labels) {
      for (let i = 0; i < labels.length; i += MOST_LABELS)
        post({ kind: 'labels', labels: labels.slice(i, i + MOST_LABELS) });
    },
    states: async (model) => (await ask<readonly MonitorState[]>('states', model)) ?? [],
    samples: async (model) => (await ask<readonly DrawnSample[]>('samples', model)) ?? [],
    counts: () => ({ seen, dropped, sketched: sketching.rows(), restarts }),
    reload(given) {
      setting = given;
      sketching.reload(given.sketch);
      post({ kind: 'choice', choice: choiceOf(given) });
    },
    flush() {
      send();
      if (worker === undefined || underWay === 0) return Promise.resolve();
      return new Promise((resolve) => idle.push(resolve));
    },
    async close() {
      if (closed) return;
      send();
      closed = true;
      clearInterval(saving);
      await ask('close');
      await worker?.terminate();
      worker = undefined;
    },
  };
}

const choiceOf = ({ kinds, only, calibration }: MonitorsSetting): HubChoice => ({ kinds, only, calibration });
