import { GlacisError } from '../core/error.ts';
import type { Alarm } from '../monitor/alarm.ts';
import { boundedAlarm } from './bounded-alarm.ts';
import { sha256 } from './canonical.ts';
import { isWorse } from './case-store.ts';

/** Different alarms that may wait at once. */
const MOST_WAITING = 1000;
/** An alarm about the same, of the same monitor, is not written more often, in milliseconds. */
const EVERY = 1000;
const MOST_REMEMBERED = 4096;
const MOST_TRIES = 5;
const LONGEST_WAIT = 60_000;

/** What a queue of alarms depends on. */
export interface AlarmQueueSetting {
  /** Keeps an alarm and `again` more like it; gives the case. Called one at a time. */
  readonly keep: (alarm: Alarm, again: number) => Promise<string | undefined>;
  readonly now: () => number;
  readonly failed: (where: string, thrown: unknown) => void;
}

/** Alarms on their way into cases. */
export interface AlarmQueue {
  /** Resolves with the id of the case; with undefined where too many others wait, and it was only counted. */
  raise(alarm: Alarm): Promise<string | undefined>;
  /** Alarms that found no room. */
  readonly dropped: () => number;
  /** Resolves when nothing waits or is in work. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

interface Waiting {
  alarm: Alarm;
  again: number;
  readonly due: number;
  readonly promise: Promise<string | undefined>;
  readonly done: (id: string | undefined) => void;
}

/**
 * Takes alarms as fast as they come and keeps them one at a time: those about the same from the same monitor are put together while they wait, so that a monitor
 * that cannot stop costs one write a second and no memory. While the store is away they wait.
 */
export function alarmQueue({ keep, now, failed }: AlarmQueueSetting): AlarmQueue {
  const waiting = new Map<string, Waiting>();
  const written = new Map<string, number>();
  let dropped = 0;
  let closed = false;
  let running = false;
  let timer: NodeJS.Timeout | undefined;
  let inWork: Promise<unknown> = Promise.resolve();
  let tell: (() => void)[] = [];
  const stopped = new AbortController();

  const pause = (milliseconds: number) =>
    new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(wait);
        stopped.signal.removeEventListener('abort', end);
        resolve();
      };
      const wait = setTimeout(end, milliseconds);
      wait.unref();
      stopped.signal.addEventListener('abort', end);
    });
  const remember = (key: string) => {
    written.delete(key);
    written.set(key, now());
    if (written.size > MOST_REMEMBERED) written.delete(written.keys().next().value!);
  };
  const keepOne = async ({ alarm, again, done }: Waiting): Promise<void> => {
    for (let tries = 1; ; tries++) {
      try {
        done(await keep(alarm, again));
        return;
      } catch (thrown) {
        const away = thrown instanceof GlacisError && thrown.code === 'store/unavailable';
        if (closed || (!away && tries >= MOST_TRIES)) {
          failed('alarm', thrown);
          dropped += 1 + again;
          done(undefined);
          return;
        }
        if (tries === 1) failed('alarm', thrown);
        await pause(Math.min(LONGEST_WAIT, 20 * 2 ** tries));
      }
    }
  };
  const work = async () => {
    running = true;
    for (;;) {
      const time = now();
      // A clock that was set back makes nobody wait for longer than it would have.
      const next = [...waiting].find(([, { due }]) => due <= time || due > time + EVERY || closed);
      if (next === undefined) break;
      const [key, item] = next;
      waiting.delete(key);
      await keepOne(item);
      remember(key);
    }
    running = false;
    if (waiting.size > 0) arm();
    else for (const each of tell.splice(0)) each();
  };
  /** Begins when the first of those that wait may be written. */
  const arm = () => {
    const soonest = Math.min(...[...waiting.values()].map(({ due }) => due));
    clearTimeout(timer);
    timer = setTimeout(start, Math.max(1, Math.min(EVERY, soonest - now())));
    timer.unref();
  };
  const start = () => {
    if (!running) inWork = work();
  };

  return {
    raise(given) {
      if (closed) return Promise.resolve(undefined);
      const alarm = boundedAlarm(given);
      const key = sha256(`${alarm.monitor}\0${alarm.subject}`);
      const there = waiting.get(key);
      if (there !== undefined) {
        if (there.alarm.id !== alarm.id) there.again++;
        there.alarm = together(there.alarm, alarm);
        return there.promise;
      }
      if (waiting.size >= MOST_WAITING) {
        dropped++;
        return Promise.resolve(undefined);
      }
      const due = (written.get(key) ?? Number.NEGATIVE_INFINITY) + EVERY;
      let done: Waiting['done'] = () => {};
      const promise = new Promise<string | undefined>((resolve) => {
        done = resolve;
      });
      waiting.set(key, { alarm, again: 0, due, promise, done });
      if (!running) {
        if (due <= now()) start();
        else arm();
      }
      return promise;
    },
    dropped: () => dropped,
    idle: () =>
      waiting.size === 0 && !running
        ? Promise.resolve()
        : new Promise((resolve) => {
            tell = [...tell, resolve];
          }),
    async close() {
      closed = true;
      stopped.abort();
      clearTimeout(timer);
      start();
      await inWork;
    },
  };
}

/** Two alarms about the same as one: the worse, over the time and the queries of both. */
function together(a: Alarm, b: Alarm): Alarm {
  const worse = isWorse(b.severity, a.severity) ? b : a;
  return {
    ...worse,
    first: Math.min(a.first, b.first),
    last: Math.max(a.last, b.last),
    queries: Math.max(a.queries, b.queries),
    principals: [...new Set([...worse.principals, ...a.principals, ...b.principals])].slice(0, 32),
  };
}
