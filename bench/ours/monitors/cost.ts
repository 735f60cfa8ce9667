import { openMonitors } from '../../../src/monitor/hub/open-monitors.ts';
import type { Sighting } from '../../../src/monitor/sighting.ts';
import { DIGIT } from '../stateful/pictures.ts';
import { ABOUT } from './watched.ts';

/** What watching costs at a rate of calls. */
export interface WatchingCost {
  readonly perSecond: number;
  /** Microseconds of the calling thread, and of CPU in all threads, for a call. */
  readonly main: number;
  readonly all: number;
  /** Share of calls that was sketched, and dropped. */
  readonly sketched: number;
  readonly dropped: number;
}

/** Milliseconds between bursts of calls, as an event loop under load has them. */
const TURN = 5;

/** Seconds that are not counted. */
const WARM = 3;

/** Hands calm calls with their inputs to the monitors as a gateway does, at a rate, and measures CPU time; the process must do nothing else. Idle time of both threads is subtracted by measuring a run without calls. */
export async function watchingCost(
  calibration: Readonly<Record<string, unknown>>,
  calls: readonly { readonly sighting: Sighting; readonly x: Float32Array }[],
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
): Promise<WatchingCost> {
  const monitors = openMonitors(
    { kinds: {}, only: {}, calibration: { digits: calibration }, sketch: { samples: 8, perSecond: 200 } },
    { describe: () => ABOUT, onAlarm: () => {}, failed: (where, thrown) => console.error(where, thrown) },
  );
  const stamp = Date.now();
  let next = 0;
  const during = async (rate: number, span: number) => {
    const before = monitors.counts();
    const cpu = process.cpuUsage();
    let main = 0;
    let owed = 0;
    const start = performance.now();
    let last = start;
    for (let now = start; now < start + 1000 * span; now = performance.now()) {
      owed += (rate * (now - last)) / 1000;
      last = now;
      const due = Math.floor(owed);
      owed -= due;
      const begin = performance.now();
      for (let i = 0; i < due; i++) {
        const { sighting, x } = calls[next % calls.length]!;
        const id = `${stamp}-${next++}`;
        monitors.see({ ...sighting, id, at: Date.now(), sketch: undefined }, x.subarray(0, DIGIT));
      }
      main += performance.now() - begin;
      await new Promise((resolve) => setTimeout(resolve, TURN));
    }
    const { user, system } = process.cpuUsage(cpu);
    const after = monitors.counts();
    const n = Math.max(1, after.seen - before.seen);
    return {
      n,
      main: (1000 * main) / n,
      cpu: user + system,
      wall: performance.now() - start,
      sketched: (after.sketched - before.sketched) / n,
      dropped: (after.dropped - before.dropped) / n,
    };
  };
  await during(perSecond, WARM);
  const idle = await during(0, Math.max(2, seconds / 4));
  const busy = await during(perSecond, seconds);
  await monitors.close();
  const resting = (idle.cpu / idle.wall) * busy.wall;
  return {
    perSecond,
    main: busy.main,
    all: Math.max(0, busy.cpu - resting) / busy.n,
    sketched: busy.sketched,
    dropped: busy.dropped,
  };
}
